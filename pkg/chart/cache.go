package chart

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"strings"
	"sync"
	"syscall"

	"multitenancy.dev/multi-tenancy-operator/pkg/outbound"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// maxCache is how many bytes the cache may have; what is more is not kept.
const maxCache = 512 << 20

// cache keeps archives, named by their digest, and which of them each reference
// meant last, so that a restart does not need the sources. What cannot be written or
// read is as if it were not there.
type cache struct {
	dir string

	mu sync.Mutex // held over files, and by nobody who looks for a chart
}

// record is what a reference meant last.
type record struct {
	URL     string `json:"url"`
	Name    string `json:"name"`
	Asked   string `json:"asked"`
	Version string `json:"version"`
	Archive string `json:"archive"`
}

func recordOf(r tenancy.Repository, ref tenancy.ChartRef) record {
	return record{URL: r.URL, Name: ref.Name, Asked: ref.Version}
}

// file is the name of the record, by what was asked.
func (r record) file() string {
	sum := sha256.Sum256([]byte(r.URL + "\n" + r.Name + "\n" + r.Asked))
	return hex.EncodeToString(sum[:]) + ".json"
}

// open opens the directory, which must be ours alone: whoever may write to it says
// what a reference means.
func (c *cache) open() (*os.Root, bool) {
	if c.dir == "" {
		return nil, false
	}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return nil, false
	}
	outer, err := os.OpenRoot(c.dir)
	if err != nil {
		return nil, false
	}
	defer func() { _ = outer.Close() }()
	const own = "v1"
	_ = outer.Mkdir(own, 0o700)
	info, err := outer.Lstat(own)
	if err != nil || !info.IsDir() || info.Mode().Perm()&0o077 != 0 {
		return nil, false
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) != os.Geteuid() {
		return nil, false
	}
	root, err := outer.OpenRoot(own)
	return root, err == nil
}

// archive reads an archive and checks that it is the one.
func (c *cache) archive(digest string, limit int64) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	root, ok := c.open()
	if !ok {
		return nil, false
	}
	defer func() { _ = root.Close() }()
	f, err := root.Open(digest + ".tgz")
	if err != nil {
		return nil, false
	}
	defer func() { _ = f.Close() }()
	data, err := outbound.Read(f, limit)
	if err != nil {
		return nil, false
	}
	sum := sha256.Sum256(data)
	return data, hex.EncodeToString(sum[:]) == digest
}

// last reads what a reference meant last.
func (c *cache) last(want record) (record, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	root, ok := c.open()
	if !ok {
		return record{}, false
	}
	defer func() { _ = root.Close() }()
	got, ok := read(root, want.file())
	return got, ok && got.URL == want.URL && got.Name == want.Name && got.Asked == want.Asked
}

func read(root *os.Root, file string) (record, bool) {
	var r record
	data, err := root.ReadFile(file)
	if err != nil || json.Unmarshal(data, &r) != nil {
		return record{}, false
	}
	raw, err := hex.DecodeString(r.Archive)
	return r, err == nil && len(raw) == sha256.Size
}

// keep writes what a reference means now, with the archive; no data for one that was
// written before.
func (c *cache) keep(r record, data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	root, ok := c.open()
	if !ok {
		return
	}
	defer func() { _ = root.Close() }()
	if data != nil && (size(root)+int64(len(data)) > maxCache || !write(root, r.Archive+".tgz", data)) {
		return
	}
	if text, err := json.Marshal(r); err == nil {
		write(root, r.file(), text)
	}
}

// size is how many bytes the files have.
func size(root *os.Root) (n int64) {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return 0
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			n += info.Size()
		}
	}
	return n
}

// write replaces a file in one move.
func write(root *os.Root, name string, data []byte) bool {
	temporary := name + ".new"
	if err := root.WriteFile(temporary, data, 0o600); err != nil {
		_ = root.Remove(temporary)
		return false
	}
	return root.Rename(temporary, name) == nil
}

// tidy removes every record but the wanted ones, and every archive no record names.
func (c *cache) tidy(wanted func() map[string]bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	root, ok := c.open()
	if !ok {
		return
	}
	defer func() { _ = root.Close() }()
	names, err := fs.Glob(root.FS(), "*")
	if err != nil {
		return
	}
	keep := wanted()
	for file := range keep {
		if r, ok := read(root, file); ok && strings.HasSuffix(file, ".json") {
			keep[r.Archive+".tgz"] = true
		}
	}
	for _, name := range names {
		if !keep[name] {
			_ = root.Remove(name)
		}
	}
}
