package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// directory holds everything of one cluster: nothing is written elsewhere, and
// only the entries named here are ever removed.
type directory string

func (d directory) path(elem ...string) string {
	return filepath.Join(append([]string{string(d)}, elem...)...)
}

func (d directory) kubeconfig() string     { return d.path("kubeconfig") }
func (d directory) state() string          { return d.path("cluster.json") }
func (d directory) stateDraft() string     { return d.path("cluster.json.new") }
func (d directory) log(name string) string { return d.path("log", name+".log") }
func (d directory) lockFile() string       { return d.path("localcluster.lock") }

// lock is the right to run the cluster of a directory. The kernel takes it
// back when the process ends, however it ends.
type lock struct{ file *os.File }

// errLocked says that the supervisor of a directory runs.
var errLocked = errors.New("a cluster runs there")

// lock takes the lock of the directory, which it creates. A directory that
// holds anything else than a cluster is refused, because the cluster's data
// is removed at the end.
func (d directory) lock() (*lock, error) {
	entries, err := os.ReadDir(string(d))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read directory %s: %w", d, err)
	}
	if _, err := os.Stat(d.lockFile()); len(entries) > 0 && err != nil {
		return nil, fmt.Errorf("directory %s is not empty and holds no local cluster: give an empty one with --dir", d)
	}
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return nil, fmt.Errorf("create directory %s: %w", d, err)
	}
	file, err := os.OpenFile(d.lockFile(), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock %s: %w", d.lockFile(), err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", d.lockFile(), errLocked), file.Close())
	}
	return &lock{file: file}, nil
}

// claim writes the pid of the owner into the lock, for those who find it taken.
func (l *lock) claim(pid int) error {
	if err := l.file.Truncate(0); err != nil {
		return fmt.Errorf("empty lock %s: %w", l.file.Name(), err)
	}
	if _, err := l.file.WriteAt([]byte(strconv.Itoa(pid)), 0); err != nil {
		return fmt.Errorf("write lock %s: %w", l.file.Name(), err)
	}
	return nil
}

func (l *lock) release() error { return l.file.Close() }

// lockOwner returns the pid of the supervisor that holds the lock, as it wrote it.
func (d directory) lockOwner() (int, error) {
	text, err := os.ReadFile(d.lockFile())
	if err != nil {
		return 0, fmt.Errorf("read lock %s: %w", d.lockFile(), err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("read lock %s: %w", d.lockFile(), err)
	}
	return pid, nil
}

// awaitLock takes the lock as soon as its owner has gone.
func (d directory) awaitLock(ctx context.Context) (*lock, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		l, err := d.lock()
		if !errors.Is(err, errLocked) {
			return l, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-tick.C:
		}
	}
}

// clear removes what a cluster left in the directory, but keeps the log of the
// supervisor, which is open already when a supervisor begins. Only the owner
// of the lock may call it.
func (d directory) clear() error {
	paths := []string{d.path("etcd"), d.path("pki"), d.path("kwok.yaml"), d.path(socketName), d.kubeconfig(), d.state(), d.stateDraft()}
	for name := range programs() {
		paths = append(paths, d.log(name))
	}
	for _, path := range paths {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("remove %s: %w", path, err)
		}
	}
	return nil
}

// remove clears the directory and deletes it, unless something else is in it.
func (d directory) remove() error {
	if err := d.clear(); err != nil {
		return err
	}
	for _, path := range []string{d.path("log"), d.lockFile()} {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("remove %s: %w", path, err)
		}
	}
	if err := os.Remove(string(d)); err != nil && !errors.Is(err, syscall.ENOTEMPTY) {
		return fmt.Errorf("remove directory %s: %w", d, err)
	}
	return nil
}
