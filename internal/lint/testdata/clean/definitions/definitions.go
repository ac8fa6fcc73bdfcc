// Package definitions owns an example.
//
// Room: pure.
package definitions

import (
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/weftbox/weftbox/expr"
)

// Text is an example.
func Text(n *yaml.Node) string { return strings.Repeat(n.Value, expr.One) }
