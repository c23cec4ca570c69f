package main

import (
	"os"
	"time"
)

// reading is what everybody has used up to a moment.
type reading struct {
	at           time.Time
	used         usage
	server, rest time.Duration // of the cluster
	bench        time.Duration
	whole        time.Duration // of the machine
}

func (c *contest) read(who contender) (reading, error) {
	now := reading{at: time.Now()}
	var err error
	if now.used, err = who.usage(); err != nil {
		return now, err
	}
	if now.server, now.rest, err = c.stage.clusterCPU(); err != nil {
		return now, err
	}
	if now.bench, err = processCPU(os.Getpid()); err != nil {
		return now, err
	}
	now.whole, err = machineCPU()
	return now, err
}

// since is what was used between two readings.
func (r reading) since(before reading) *sample {
	s := &sample{CPU: r.used.CPU - before.used.CPU, ControlPlane: r.server - before.server}
	others := r.whole - before.whole - s.CPU - s.ControlPlane - (r.rest - before.rest) - (r.bench - before.bench)
	s.Others = max(ratio(others.Seconds(), r.at.Sub(before.at).Seconds()), 0)
	return s
}
