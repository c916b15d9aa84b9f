package main

import (
	"io"

	"regtok/graph"
)

// sdl prints the schema.
type sdl struct{}

// Run implements the command.
func (sdl) Run(p process) error {
	_, err := io.WriteString(p.stdout, graph.SDL())
	return err
}
