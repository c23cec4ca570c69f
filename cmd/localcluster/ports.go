package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// ports are the loopback ports of one cluster. They are held from the choice
// until a component takes them over, so that clusters which start at the same
// time do not choose the same.
type ports struct {
	etcdClient, etcdPeer, apiserver, controllerManager, scheduler, kwok int
	held                                                                map[int]net.Listener
}

// Below the range from which Linux takes the ports of outgoing connections
// (32768 and up): those could otherwise take the port of a component while it
// is being restarted.
const lowestPort, highestPort = 20000, 32000

func choosePorts() (*ports, error) {
	p := &ports{held: map[int]net.Listener{}}
	for _, port := range []*int{&p.etcdClient, &p.etcdPeer, &p.apiserver, &p.controllerManager, &p.scheduler, &p.kwok} {
		free, err := p.hold()
		if err != nil {
			return nil, errors.Join(err, p.release())
		}
		*port = free
	}
	return p, nil
}

func (p *ports) hold() (int, error) {
	var last error
	for range 100 {
		port := lowestPort + rand.IntN(highestPort-lowestPort)
		listener, err := net.Listen("tcp", loopback(port))
		if err == nil {
			p.held[port] = listener
			return port, nil
		}
		last = err
	}
	return 0, fmt.Errorf("find a free port between %d and %d: %w", lowestPort, highestPort, last)
}

// release lets the components take the given ports, or all if none are given.
func (p *ports) release(these ...int) error {
	if len(these) == 0 {
		for port := range p.held {
			these = append(these, port)
		}
	}
	var all error
	for _, port := range these {
		if listener, ok := p.held[port]; ok {
			delete(p.held, port)
			all = errors.Join(all, listener.Close())
		}
	}
	return all
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
