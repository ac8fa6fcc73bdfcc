package store

import (
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	ballastName    = "weftbox.ballast"
	defaultBallast = 64 << 20
	diskInterval   = 250 * time.Millisecond

	// On a small disk ballast and watermark take no more than this share of it.
	smallDiskShare = 8

	minLowMark = 256 << 20
)

// Disk is what is known of the disk that holds the store. A disk that tells nothing, as one in memory, is never low.
type Disk struct {
	Known        bool
	FreeBytes    int64
	TotalBytes   int64
	LowBytes     int64 // below it the store counts as low
	HighBytes    int64 // from it on it recovers
	BallastBytes int64 // held in reserve; 0: none, or already given up
	Low          bool
}

// DiskUsage tells how many bytes of a disk are free for the process, and how many it has.
type DiskUsage func() (freeBytes, totalBytes int64, err error)

// disk watches the free space and holds the ballast: a file that is given up when the disk is full, so that the commit in hand lands.
type disk struct {
	fs      vfs.FS // not the one that calls release
	path    string
	usage   DiskUsage
	log     pebble.Logger
	ballast int64 // wanted; 0: none
	low     int64 // 0: the share of the disk

	mu      sync.Mutex // of the ballast file
	state   atomic.Pointer[Disk]
	quit    chan struct{}
	once    sync.Once
	running sync.WaitGroup
}

func newDisk(fs vfs.FS, dir string, o Options) *disk {
	d := &disk{fs: fs, path: fs.PathJoin(dir, ballastName), usage: o.DiskUsage, log: o.Logger, ballast: o.BallastBytes, low: o.LowDiskBytes,
		quit: make(chan struct{})}
	if d.usage == nil {
		d.usage = func() (int64, int64, error) {
			u, err := fs.GetDiskUsage(dir)
			return int64(u.AvailBytes), int64(u.TotalBytes), err
		}
	}
	d.state.Store(&Disk{})
	return d
}

// start makes the ballast anew, looks at the disk and goes on looking until stop.
func (d *disk) start() {
	_ = d.fs.Remove(d.path) // of an earlier process; its size may have been another
	d.look()
	if !d.state.Load().Known && d.ballast > 0 {
		d.keep(d.ballast)
	}
	if d.state.Load().Known {
		d.running.Go(d.run)
	}
}

func (d *disk) run() {
	ticker := time.NewTicker(diskInterval)
	defer ticker.Stop()
	for {
		select {
		case <-d.quit:
			return
		case <-ticker.C:
			d.look()
		}
	}
}

func (d *disk) stop() {
	d.once.Do(func() { close(d.quit) })
	d.running.Wait()
}

// look asks for the free space, decides whether it is low, and takes the ballast up again when there is room.
func (d *disk) look() {
	free, total, err := d.usage()
	if err != nil || total <= 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	was := d.state.Load()
	now := Disk{Known: true, FreeBytes: free, TotalBytes: total, BallastBytes: was.BallastBytes}
	now.LowBytes = d.low
	if d.low == 0 {
		now.LowBytes = min(max(total/50, minLowMark), total/smallDiskShare)
	}
	now.HighBytes = now.LowBytes + now.LowBytes/2
	now.Low = free < now.LowBytes || was.Low && free < now.HighBytes
	size := d.ballastSize(total)
	if now.BallastBytes == 0 && size > 0 && free >= now.HighBytes+size {
		if now.BallastBytes = d.create(size); now.BallastBytes > 0 {
			now.FreeBytes -= size
		}
	}
	d.state.Store(&now)
	switch {
	case now.Low && !was.Low:
		d.log.Errorf("the disk is low: %d MiB are free, below %d MiB no events are taken; free some space", free>>20, now.LowBytes>>20)
	case was.Low && !now.Low:
		d.log.Errorf("the disk has room again: %d MiB are free, events are taken", free>>20)
	}
}

func (d *disk) ballastSize(total int64) int64 {
	if d.ballast != 0 {
		return max(d.ballast, 0)
	}
	return min(defaultBallast, total/smallDiskShare)
}

// keep makes the ballast on a disk that does not tell its size.
func (d *disk) keep(size int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := *d.state.Load()
	now.BallastBytes = d.create(size)
	d.state.Store(&now)
}

// release gives the ballast up; it is called while a write that found the disk full waits to be repeated.
func (d *disk) release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := *d.state.Load()
	if now.Known {
		now.Low = true
	}
	if now.BallastBytes > 0 {
		size := now.BallastBytes
		now.BallastBytes = 0
		now.FreeBytes = min(now.FreeBytes, size) // it was none in this moment
		if err := d.fs.Remove(d.path); err != nil {
			d.log.Errorf("the disk is full and its ballast cannot be removed: %v", err)
		} else {
			d.log.Errorf("the disk is full: the ballast of %d KiB is given up so that what is in hand lands; free some space", size>>10)
		}
	}
	d.state.Store(&now)
}

// create makes the ballast file and returns its size, or 0: a store without ballast works too.
func (d *disk) create(size int64) int64 {
	err := d.fill(size)
	if err == nil {
		return size
	}
	d.log.Errorf("no ballast file could be made for the day on which the disk is full: %v", err)
	_ = d.fs.Remove(d.path) // what there is of it is of no use
	return 0
}

func (d *disk) fill(size int64) (err error) {
	f, err := d.fs.Create(d.path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if runtime.GOOS == "linux" && f.Preallocate(0, size) == nil {
		_, err = f.WriteAt([]byte{0}, size-1) // so that it shows its size
		return err
	}
	// No reservation here: the bytes must be written, and be such that no file system can shrink them.
	block := make([]byte, 1<<20)
	draw := rand.NewChaCha8([32]byte{})
	for left := size; left > 0; left -= int64(len(block)) {
		block = block[:min(int64(len(block)), left)]
		_, _ = draw.Read(block) // it never fails
		if _, err = f.Write(block); err != nil {
			return err
		}
	}
	return f.Sync()
}

// Disk returns what is known of the store's disk; it asks nobody and is cheap.
func (s *Store) Disk() Disk { return *s.disk.state.Load() }
