// Package scenario owns scenario texts: stories of a flow in YAML (what happens, what must follow), their form with the place of every
// mistake, the runner that lives them through on a sim.World, and the reports. README.md beside this file is the page for authors.
//
// Room: loop.
package scenario
