package sim

import (
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// tear is a death in the middle of a commit: after some of its slots are on disk and before the others are.
type tear struct {
	turns int
	armed bool
	syncs int        // since it was armed
	at    int        // the sync before which the power goes
	disk  *vfs.MemFS // as it was then; nil: the commit had fewer
	tears int        // how often it happened
}

// stateFS is the file system of the store, which tells when something is synced.
func (w *World) stateFS() vfs.FS {
	if !w.o.CrashAlways {
		return w.fs
	}
	disk := w.fs
	return errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		t := &w.tear
		switch op.Kind {
		case errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo:
			if t.armed {
				if t.syncs++; t.syncs <= t.at && t.syncs > 1 {
					t.disk = disk.CrashClone(vfs.CrashCloneCfg{})
				}
			}
		}
		return nil
	}))
}

// Tears counts the deaths between two slots of one commit.
func (w *World) Tears() int { return w.tear.tears }

// tornTurn is a turn of the node that nobody outside waits for. With CrashAlways the node dies in it after one, two or three of its slots are on
// disk, or after all are.
func (w *World) tornTurn() bool {
	t := &w.tear
	t.turns++
	t.armed, t.syncs, t.at, t.disk = w.o.CrashAlways && w.dies(), 0, 2+t.turns%3, nil
	printed := w.out.Len()
	worked := w.node.Turn()
	t.armed = false
	if !worked || t.disk == nil || w.out.Len() > printed { // what is printed is told once: it must not be lost here
		if worked {
			w.restartIfAlways()
		}
		return worked
	}
	t.tears++
	w.moments++
	w.restartFrom(t.disk)
	if _, _, err := w.node.AdvanceNow(0); err != nil { // the node's own row went with the rest: the clock's floor
		panic(&Fault{err})
	}
	return true
}
