package web

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"io/fs"
	"path"
	"strings"
)

// asset is one file of the built page and what browsers are told about it.
type asset struct {
	name         string
	etag         string // without quotes
	contentType  string
	cacheControl string
	// zipped: the same is there compressed, with .gz after its name.
	zipped bool
}

// readAssets returns what may be served of files, by name. Hidden files are not.
func readAssets(files fs.FS) (map[string]asset, error) {
	assets := map[string]asset{}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), ".") || path.Ext(name) == ".gz" {
			return err
		}
		etag, err := hash(files, name)
		if err != nil {
			return err
		}
		_, err = fs.Stat(files, name+".gz")
		assets[name] = asset{
			name:         name,
			etag:         etag,
			contentType:  contentType(name),
			cacheControl: cacheControl(name),
			zipped:       err == nil,
		}
		return nil
	})
	return assets, err
}

func hash(files fs.FS, name string) (string, error) {
	file, err := files.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }() // it was only read
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:12]), nil
}

// cacheControl lets browsers keep for ever what the build names after its content, and ask again for the rest.
func cacheControl(name string) string {
	if strings.HasPrefix(name, "assets/") {
		return "public, max-age=31536000, immutable"
	}
	return "no-cache"
}

// contentType knows the kinds of files that the build makes. The table of the machine is not asked: it differs.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".ttf":
		return "font/ttf"
	case ".woff2":
		return "font/woff2"
	default:
		return "application/octet-stream"
	}
}
