package main

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/weftbox/weftbox/api"
)

// version is set by the linker for releases; otherwise the module's version counts.
var version string

func build() api.Build {
	b := api.Build{Version: version}
	info, known := debug.ReadBuildInfo()
	if !known {
		return b
	}
	if b.Version == "" {
		b.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			b.Commit = s.Value
		}
	}
	if b.Version == "" || b.Version == "(devel)" {
		b.Version = "devel"
	}
	return b
}

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print what this program is",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			b := build()
			out := newOutput(c)
			if out.json {
				return out.value(map[string]string{"version": b.Version, "commit": b.Commit, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH})
			}
			return out.line("weftbox %s %s %s/%s", b.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		},
	}
}
