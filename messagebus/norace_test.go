//go:build !race

package messagebus

// raceDetector reports whether the tests run under the race detector.
const raceDetector = false
