package emulator

import (
	"net/url"
	"strconv"
)

// pageSize is the limit in the query as the chosen maximum has it.
func (s *server) pageSize(query url.Values) (int, error) {
	limit, err := queryNumber(query, "limit", 100)
	if err != nil {
		return 0, err
	}
	if limit < 1 {
		return 0, invalid("limit must be at least 1")
	}
	if s.maxPage == 0 || limit <= s.maxPage {
		return limit, nil
	}
	if s.refuseLargePage {
		return 0, invalid("limit must be at most %d", s.maxPage)
	}
	return s.maxPage, nil
}

// queryNumber reads a number that is not negative; absent or empty, it is the fallback.
func queryNumber(query url.Values, name string, fallback int) (int, error) {
	text := query.Get(name)
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, invalid("%s must be a number that is not negative", name)
	}
	return n, nil
}

// depth reads how deep the answer goes, 0 to 10.
func depth(query url.Values) (int, error) {
	deep, err := queryNumber(query, "depth", 0)
	if err != nil {
		return 0, err
	}
	if deep > 10 {
		return 0, unprocessable("depth must be 0 to 10")
	}
	return deep, nil
}

// cloudPage reads the limit, 1 to 100, and the offset of a Cloud API list.
func cloudPage(query url.Values) (limit, offset int, err error) {
	if limit, err = queryNumber(query, "limit", 100); err != nil {
		return 0, 0, err
	}
	if limit < 1 || limit > 100 {
		return 0, 0, unprocessable("limit must be 1 to 100")
	}
	offset, err = queryNumber(query, "offset", 0)
	return limit, offset, err
}
