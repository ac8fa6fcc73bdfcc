package expr

import (
	"os"
	"time"
)

func helper() { go func() { count = os.Getpid() + time.Now().Year() }() }
