// Package slots owns an example.
//
// Room: pure.
package slots

func start(f func()) {
	go f()
	func() {
		go f()
	}()
}
