// Package slots owns an example.
//
// Room: pure.
package slots

import (
	_ "context"
	_ "crypto/rand"
	_ "database/sql"
	_ "hash/fnv"
	_ "log/slog"
	_ "math/rand/v2"
	_ "net/http"
	_ "os"
	_ "sync/atomic"
	. "time"
)

// Zero is an example.
const Zero = Duration(0)
