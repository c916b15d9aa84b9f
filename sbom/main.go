// Command sbom tells what a binary was built of, as a CycloneDX document: what the Go linker has noted in it.
package main

import (
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/debug"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "sbom: name a binary")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func run(binary string, to io.Writer) error {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return err
	}
	out := json.NewEncoder(to)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(document(info))
}

// bom is a document of CycloneDX 1.6, as far as it is needed. Nothing in it depends on when or where it is made.
type bom struct {
	Format     string      `json:"bomFormat"`
	Spec       string      `json:"specVersion"`
	Version    int         `json:"version"`
	Metadata   metadata    `json:"metadata"`
	Components []component `json:"components"`
}

type metadata struct {
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	URL        string     `json:"purl"`
	Properties []property `json:"properties,omitempty"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func document(info *debug.BuildInfo) bom {
	whole := of("application", &info.Main)
	for _, setting := range info.Settings {
		whole.Properties = append(whole.Properties, property{"go:build:" + setting.Key, setting.Value})
	}
	language := component{Type: "library", Name: "std", Version: info.GoVersion, URL: "pkg:golang/std@" + info.GoVersion}
	language.Ref = language.URL
	b := bom{Format: "CycloneDX", Spec: "1.6", Version: 1, Metadata: metadata{whole}, Components: []component{language}}
	for _, module := range info.Deps {
		b.Components = append(b.Components, of("library", module))
	}
	return b
}

// of is a module that is built in: the one that stands in for it, if there is one.
func of(kind string, module *debug.Module) component {
	if module.Replace != nil {
		module = module.Replace
	}
	url := "pkg:golang/" + module.Path + "@" + module.Version
	c := component{Type: kind, Ref: url, Name: module.Path, Version: module.Version, URL: url}
	if module.Sum != "" {
		c.Properties = []property{{"go:sum", module.Sum}}
	}
	return c
}
