package limits

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"regtok/codes"
)

const (
	longestMessage = 300 // characters; the validator quotes names, which may be a megabyte long
	longestName    = 60
	longestPath    = 30
)

func coded(err *gqlerror.Error, code string) *gqlerror.Error {
	errcode.Set(err, code)
	return err
}

// exceeded says which limit, its value, and what the operation has, if that was counted to the end.
func exceeded(code, limit string, most, actual int, message string) *gqlerror.Error {
	extensions := map[string]any{"code": code, "limit": limit, "max": most}
	if actual > 0 && actual < ceiling {
		extensions["actual"] = actual
	}
	return &gqlerror.Error{Message: message, Extensions: extensions}
}

func tooLarge(limit, what string, most, actual int, cure string) *gqlerror.Error {
	return exceeded(codes.QueryTooLarge, limit, most, actual, fmt.Sprintf("there are more than %d %s: %s", most, what, cure))
}

// tidy bounds the errors of an answer in number. Those of an operation that was not executed come from the validator: they
// are bounded in length, too, and the ones about variables get a code of their own.
func (l Limits) tidy(answer *graphql.Response) {
	if omitted := len(answer.Errors) - l.Errors; omitted > 0 {
		answer.Errors = answer.Errors[:l.Errors:l.Errors]
		if answer.Extensions == nil {
			answer.Extensions = map[string]any{}
		}
		answer.Extensions["omittedErrors"] = omitted
	}
	if len(answer.Data) > 0 {
		return
	}
	for i, err := range answer.Errors {
		if err != nil {
			answer.Errors[i] = brief(err)
		}
	}
}

// brief returns a copy: errors may be shared, for example by a presenter that returns the same one each time.
func brief(err *gqlerror.Error) *gqlerror.Error {
	b := *err
	b.Message = shorten(err.Message, longestMessage)
	b.Path = shortPath(err.Path)
	code, _ := err.Extensions["code"].(string)
	if aboutVariable(err.Path) && (code == codes.ValidationFailed || code == "") {
		b.Extensions = map[string]any{"code": codes.Invalid}
	} else if code == "" {
		b.Extensions = map[string]any{"code": codes.ValidationFailed}
	}
	return &b
}

// aboutVariable: gqlparser's paths into variables begin so. There was no answer yet that the path could lead into.
func aboutVariable(path ast.Path) bool {
	return len(path) > 0 && path[0] == ast.PathName("variable")
}

func shortPath(path ast.Path) ast.Path {
	path = path[:min(len(path), longestPath)]
	short := make(ast.Path, len(path))
	for i, element := range path {
		if name, ok := element.(ast.PathName); ok {
			element = ast.PathName(shorten(string(name), longestName))
		}
		short[i] = element
	}
	return short
}

// shorten cuts text to so many characters, and replaces those that do not print.
func shorten(text string, most int) string {
	var b strings.Builder
	count := 0
	for _, r := range text {
		if count == most {
			b.WriteRune('…')
			break
		}
		if !unicode.IsPrint(r) {
			r = ' '
		}
		b.WriteRune(r)
		count++
	}
	return b.String()
}
