// Package slots owns an example.
//
// Room: pure.
package slots

import "time"

var start = time.Now()

func wait(t time.Time) time.Duration {
	time.Sleep(time.Second)
	<-time.After(time.Second)
	read := time.Now
	return time.Since(t) + read().Sub(start)
}

type local struct{}

func (local) Now() {}

func fine() {
	time := local{}
	time.Now()
}
