package chart

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/ignore"

	"multitenancy.dev/multi-tenancy-operator/pkg/outbound"
	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// maxArchive bounds a packed chart, in bytes.
const maxArchive = 20 << 20

// packed is the name of a packed chart: name-version.tgz.
var packed = regexp.MustCompile(`^(.+?)(-v?[0-9]+\.[0-9]+\.[0-9]+.*)?\.tgz$`)

// dir reads a chart home. No path or link leads out of it.
type dir struct{ root *os.Root }

func openDir(name string) (dir, error) {
	root, err := os.OpenRoot(name)
	return dir{root: root}, err
}

func (d dir) close() { _ = d.root.Close() }

// prints gives every entry that looks like a chart a text that changes when a
// file of it does.
func (d dir) prints() (map[string]string, error) {
	names, err := fs.ReadDir(d.root.FS(), ".")
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, n := range names {
		name := n.Name()
		if strings.HasPrefix(name, ".") {
			continue
		}
		info, err := d.root.Stat(name)
		switch {
		case err != nil:
			out[name] = "unreadable: " + err.Error()
		case info.IsDir():
			if print, ok := d.printFolder(name); ok {
				out[name] = print
			}
		case strings.HasSuffix(name, ".tgz"):
			out[name] = printFile(name, info)
		}
	}
	return out, nil
}

func (d dir) printFolder(name string) (string, bool) {
	if _, err := d.root.Stat(path.Join(name, "Chart.yaml")); err != nil {
		return "", false
	}
	h := sha256.New()
	err := fs.WalkDir(d.root.FS(), name, func(p string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.root.Stat(p)
		if err != nil {
			return err
		}
		_, err = io.WriteString(h, printFile(p, info))
		return err
	})
	if err != nil {
		return "unreadable: " + err.Error(), true
	}
	return hex.EncodeToString(h.Sum(nil)), true
}

func printFile(name string, info fs.FileInfo) string {
	return fmt.Sprintf("%s %d %d %s\n", name, info.Size(), info.ModTime().UnixNano(), info.Mode())
}

// read makes an entry; a chart that cannot be used has its err set.
func (d dir) read(key, print string) entry {
	e := entry{print: print, name: key}
	if m := packed.FindStringSubmatch(key); m != nil {
		e.name = m[1]
	}
	invalid := func(err error) entry {
		e.err = fmt.Errorf("%w: %s in the chart home: %w", tenancy.ErrChartInvalid, key, err)
		return e
	}
	files, err := d.files(key)
	if err != nil {
		return invalid(err)
	}
	e.chart, e.version, err = describe(files)
	if e.chart.Name != "" {
		e.name = e.chart.Name
	}
	if err != nil {
		return invalid(err)
	}
	e.files = files
	return e
}

// files reads the files of a chart, packed or not.
func (d dir) files(key string) ([]*loader.BufferedFile, error) {
	if !strings.HasSuffix(key, ".tgz") {
		return d.folder(key)
	}
	f, err := d.root.Open(key)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := outbound.Read(f, maxArchive)
	if err != nil {
		return nil, err
	}
	return unpack(data, defaultBounds())
}

// folder reads an unpacked chart as Helm does, .helmignore included.
func (d dir) folder(name string) (files []*loader.BufferedFile, err error) {
	defer rescue(&err)
	rules := ignore.Empty()
	if f, err := d.root.Open(path.Join(name, ignore.HelmIgnore)); err == nil {
		rules, err = ignore.Parse(f)
		_ = f.Close()
		if err != nil {
			return nil, err
		}
	}
	rules.AddDefaults()

	c := collector{dir: d, base: name, rules: rules, rest: &budget{defaultBounds()}}
	err = fs.WalkDir(d.root.FS(), name, c.visit)
	return c.files, err
}

// collector gathers the files of an unpacked chart.
type collector struct {
	dir   dir
	base  string
	rules *ignore.Rules
	files []*loader.BufferedFile
	rest  *budget
}

func (c *collector) visit(p string, e fs.DirEntry, err error) error {
	if err != nil || p == c.base {
		return err
	}
	info, err := c.dir.root.Stat(p)
	if err != nil {
		return err
	}
	inside := strings.TrimPrefix(p, c.base+"/")
	switch {
	case c.rules.Ignore(inside, info) && e.IsDir():
		return fs.SkipDir
	case c.rules.Ignore(inside, info) || e.IsDir():
		return nil
	case info.IsDir():
		return fmt.Errorf("%s is a link to a folder; copy the folder", inside)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file", inside)
	case info.Size() > c.rest.file:
		return fmt.Errorf("%s is larger than %d bytes", inside, c.rest.file)
	}
	return c.add(p, inside)
}

func (c *collector) add(p, inside string) error {
	data, err := c.dir.root.ReadFile(p)
	if err != nil {
		return err
	}
	c.rest.entries--
	c.rest.bytes -= int64(len(data))
	switch {
	case c.rest.entries < 0:
		return errEntries
	case c.rest.bytes < 0:
		return errLarge
	case looksInside(inside):
		if err := c.rest.inner(inside, data, 0); err != nil {
			return err
		}
	}
	c.files = append(c.files, &loader.BufferedFile{Name: inside, Data: bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF"))})
	return nil
}

// digest is the same for the same files, packed or not.
func digest(files []*loader.BufferedFile) string {
	sorted := slices.SortedFunc(slices.Values(files), func(a, b *loader.BufferedFile) int {
		return strings.Compare(a.Name, b.Name)
	})
	h := sha256.New()
	for _, f := range sorted {
		fmt.Fprintf(h, "%d %s %d\n", len(f.Name), f.Name, len(f.Data))
		h.Write(f.Data)
	}
	return hex.EncodeToString(h.Sum(nil))
}
