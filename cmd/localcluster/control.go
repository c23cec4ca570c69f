package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
)

const socketName = "control.sock"

// control is the door through which other processes reach the supervisor: a
// unix socket in the cluster's directory, which only its owner can open.
type control struct {
	requests chan request
	server   *http.Server
	done     chan struct{}
}

// request asks for the state, or for the restart of a component if it names one.
type request struct {
	component string
	flags     []string
	answer    chan response // has room for the answer
}

type response struct {
	state state
	err   error
}

// listenControl opens the socket. stop is called when a client asks for it.
func listenControl(d directory, stop func()) (*control, error) {
	short, closeDir, err := d.socket()
	if err != nil {
		return nil, err
	}
	defer closeDir()
	listener, err := net.Listen("unix", short)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", d.path(socketName), err)
	}
	// The short path means nothing once the directory is closed; the file is
	// removed with the directory's other contents.
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	c := &control{requests: make(chan request), done: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /state", func(w http.ResponseWriter, r *http.Request) { c.pass(w, r, request{}) })
	mux.HandleFunc("POST /restart/{component}", func(w http.ResponseWriter, r *http.Request) {
		req := request{component: r.PathValue("component")}
		if err := json.NewDecoder(r.Body).Decode(&req.flags); err != nil {
			http.Error(w, "decode flags: "+err.Error(), http.StatusBadRequest)
			return
		}
		c.pass(w, r, req)
	})
	mux.HandleFunc("POST /stop", func(http.ResponseWriter, *http.Request) { stop() })
	c.server = &http.Server{Handler: mux}
	go func() {
		defer close(c.done)
		_ = c.server.Serve(listener) // ends by close
	}()
	return c, nil
}

// pass hands a request to the supervisor and its answer to the client. It
// waits as long as the supervisor is busy, for instance starting the cluster.
func (c *control) pass(w http.ResponseWriter, r *http.Request, req request) {
	req.answer = make(chan response, 1)
	select {
	case c.requests <- req:
	case <-r.Context().Done():
		return
	}
	select {
	case answer := <-req.answer:
		if answer.err != nil {
			http.Error(w, answer.err.Error(), http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(w).Encode(answer.state) // the client has gone
	case <-r.Context().Done():
	}
}

func (c *control) close() {
	_ = c.server.Close() // also ends the requests that still wait
	<-c.done
}

// socket returns a path to the socket that is short enough for the kernel,
// which allows 107 bytes. It holds until the returned function is called.
func (d directory) socket() (string, func(), error) {
	dir, err := os.Open(string(d))
	if err != nil {
		return "", nil, fmt.Errorf("open directory %s: %w", d, err)
	}
	return "/proc/self/fd/" + strconv.Itoa(int(dir.Fd())) + "/" + socketName, func() { _ = dir.Close() }, nil
}

// errNotRunning says that no supervisor answers in a directory.
var errNotRunning = errors.New("no cluster runs there: see localcluster up")

// ask sends one request to the supervisor of the directory; out may be nil.
func (d directory) ask(ctx context.Context, method, path string, in, out any) error {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		short, closeDir, err := d.socket()
		if err != nil {
			return nil, errors.Join(errNotRunning, err)
		}
		defer closeDir()
		conn, err := new(net.Dialer).DialContext(ctx, "unix", short)
		if err != nil {
			return nil, errNotRunning
		}
		return conn, nil
	}}}
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encode request %s: %w", path, err)
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://localcluster"+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make request %s: %w", path, err)
	}
	answer, err := client.Do(request)
	switch {
	case errors.Is(err, errNotRunning):
		return errNotRunning
	case err != nil:
		return fmt.Errorf("ask the supervisor in %s: %w", d, err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	switch {
	case err != nil:
		return fmt.Errorf("read the answer of the supervisor in %s: %w", d, err)
	case answer.StatusCode != http.StatusOK:
		return errors.New(strings.TrimSpace(string(text)))
	case out == nil:
		return nil
	}
	return json.Unmarshal(text, out)
}
