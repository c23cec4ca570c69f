package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"syscall"
	"time"
)

// downPatience is how long a supervisor may take to stop its children.
const downPatience = 40 * time.Second

// down stops the cluster, waits until all its processes are gone and removes
// its data.
func down(ctx context.Context, args []string) error {
	d, rest, err := parseDir("down", args)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return fmt.Errorf("down takes no argument %q: see localcluster help", rest[0])
	}
	if _, err := os.Stat(d.lockFile()); errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(os.Stderr, "localcluster: no cluster in %s\n", d)
		return nil
	}
	patience, cancel := context.WithTimeout(ctx, downPatience)
	defer cancel()
	// Whether it was asked, was gone already or cut its answer short while it
	// ended: the lock tells.
	_ = d.ask(patience, http.MethodPost, "/stop", nil, nil)
	l, err := d.awaitLock(patience)
	if errors.Is(err, errLocked) && ctx.Err() == nil {
		l, err = d.takeByForce(ctx)
	}
	if err != nil {
		return fmt.Errorf("stop the cluster in %s: %w", d, err)
	}
	return errors.Join(d.remove(), l.release())
}

// takeByForce kills a supervisor that does not stop; the kernel kills its
// children with it.
func (d directory) takeByForce(ctx context.Context) (*lock, error) {
	pid, err := d.lockOwner()
	if err != nil {
		return nil, err
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return nil, fmt.Errorf("kill the supervisor (pid %d): %w", pid, err)
	}
	ctx, cancel := context.WithTimeout(ctx, downPatience)
	defer cancel()
	return d.awaitLock(ctx)
}
