package chart

import (
	"archive/tar"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"multitenancy.dev/multi-tenancy-operator/pkg/tenancy"
)

// small makes the bounds small enough to run into.
func small(s *Sources) {
	s.limits.Header, s.limits.Request = 300*time.Millisecond, 600*time.Millisecond
	s.limits.index, s.limits.archive = 256<<10, 128<<10
	s.limits.chart = bounds{bytes: 1 << 20, file: 400 << 10, entries: 40, depth: 3}
}

// offer is a repository with one archive for version 1.0.0 of the chart web.
func offer(data []byte) http.Handler { return listing(data, fmt.Sprintf("%x", sha256.Sum256(data))) }

func listing(data []byte, digest string) http.Handler {
	index := "apiVersion: v1\nentries:\n  web:\n  - {name: web, version: 1.0.0, urls: [web.tgz], digest: '" + digest + "'}\n"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/index.yaml") {
			_, _ = w.Write([]byte(index))
			return
		}
		_, _ = w.Write(data)
	})
}

// index is a repository with nothing but an index.
func index(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) })
}

// drip writes something again and again until nobody reads it.
func drip(piece []byte, pause time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(piece); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
			select {
			case <-r.Context().Done():
			case <-time.After(pause):
			}
		}
	})
}

// split sends the index from one handler and the rest from another.
func split(first, rest http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/index.yaml") {
			first.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	})
}

// billion is YAML that is small as text only.
func billion(first string) string {
	text := "a0: &a0 '" + strings.Repeat("x", 1000) + "'\n"
	for i := range 5 {
		text += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i), 10), ","))
	}
	return first + text
}

func chartYAMLWith(text string) []item {
	return []item{{name: "web/Chart.yaml", text: chartYAML("web", "1.0.0") + text}}
}

func TestHostileSources(t *testing.T) {
	good := chartYAMLWith("")
	withFiles := func(more ...item) []byte { return tgz(t, append(good, more...)...) }
	nested := func(depth int, inner item) []byte {
		data := tgz(t, item{name: "sub/Chart.yaml", text: chartYAML("sub", "1.0.0")}, inner)
		for range depth - 1 {
			data = tgz(t, item{name: "sub/Chart.yaml", text: chartYAML("sub", "1.0.0")}, item{name: "sub/charts/sub.tgz", text: string(data)})
		}
		return withFiles(item{name: "web/charts/sub.tgz", text: string(data)})
	}
	many := make([]item, 41)
	for i := range many {
		many[i] = item{name: fmt.Sprintf("web/files/%d", i)}
	}
	zeros := item{name: "sub/zeros", size: 300 << 10}
	var three []item
	for i := range 3 {
		three = append(three, item{name: fmt.Sprintf("web/charts/s%d.tgz", i), text: string(tgz(t, zeros, item{name: "sub/more", size: 200 << 10}))})
	}
	invalid, source := tenancy.ErrChartInvalid, tenancy.ErrSource

	cases := map[string]struct {
		handler http.Handler
		want    error
		text    string
	}{
		"row 124: an index without end":           {drip(make([]byte, 64<<10), 0), source, "larger than the limit"},
		"row 124: an archive without end":         {split(offer(nil), drip(make([]byte, 64<<10), 0)), invalid, "larger than"},
		"row 124: an index in drops":              {drip([]byte("#"), 20*time.Millisecond), source, "does not answer in time"},
		"row 124: an archive in drops":            {split(offer(nil), drip([]byte("#"), 20*time.Millisecond)), source, "does not answer in time"},
		"row 124: no answer":                      {http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), source, "does not answer in time"},
		"row 122: an index that is too large":     {index(strings.Repeat("#", 300<<10)), source, "larger than the limit"},
		"row 122: aliases in the index":           {index(billion("apiVersion: v1\nentries: {}\n")), source, "aliases"},
		"row 122: aliases in Chart.yaml":          {offer(tgz(t, chartYAMLWith(billion(""))...)), invalid, "aliases"},
		"row 122: aliases in values.yaml":         {offer(withFiles(item{name: "web/values.yaml", text: billion("")})), invalid, "aliases"},
		"row 122: aliases in a chart inside":      {offer(nested(2, item{name: "sub/values.yaml", text: billion("")})), invalid, "aliases"},
		"an alias of itself":                      {offer(withFiles(item{name: "web/values.yaml", text: "a: &a [*a]\n"})), invalid, "alias"},
		"row 120: a gzip bomb":                    {offer(withFiles(item{name: "web/zeros", size: 5 << 20})), invalid, "larger than"},
		"row 120: many large files":               {offer(withFiles(item{name: "web/a", size: 390 << 10}, item{name: "web/b", size: 390 << 10}, item{name: "web/c", size: 390 << 10})), invalid, "more bytes"},
		"row 120: bombs in archives side by side": {offer(withFiles(three...)), invalid, "more bytes"},
		"row 120: a bomb three archives deep":     {offer(nested(3, item{name: "sub/zeros", size: 5 << 20})), invalid, "larger than"},
		"row 120: archives four deep":             {offer(nested(4, zeros)), invalid, "more than 3 deep"},
		"too many files":                          {offer(withFiles(many...)), invalid, "more files"},
		"a symbolic link":                         {offer(withFiles(item{name: "web/values.yaml", text: "/etc/passwd", kind: tar.TypeSymlink})), invalid, "link"},
		"a hard link":                             {offer(withFiles(item{name: "web/values.yaml", text: "/etc/passwd", kind: tar.TypeLink})), invalid, "link"},
		"a link in a chart inside":                {offer(nested(1, item{name: "sub/x", text: "/etc/passwd", kind: tar.TypeSymlink})), invalid, "link"},
		"a way out":                               {offer(withFiles(item{name: "web/../../evil"})), invalid, "leads out"},
		"a way out with backslashes":              {offer(withFiles(item{name: `web\..\..\evil`})), invalid, "leads out"},
		"an absolute path":                        {offer(withFiles(item{name: "/etc/evil"})), invalid, "absolute path"},
		"a wrong digest":                          {listing(withFiles(), strings.Repeat("0", 64)), invalid, "is listed with"},
		"a digest that is a path":                 {listing(withFiles(), "../../evil"), invalid, "no sha256"},
		"another name inside":                     {offer(packedChart(t, "other", "1.0.0")), invalid, "the archive holds other 1.0.0"},
		"another version inside":                  {offer(packedChart(t, "web", "6.6.6")), invalid, "the archive holds web 6.6.6"},
		"no chart":                                {offer(tgz(t, item{name: "web/README", text: "hello"})), invalid, "Chart.yaml file is missing"},
		"no archive":                              {offer([]byte("hello")), invalid, "not a .tgz archive"},
		"an archive that is cut":                  {offer(withFiles()[:60]), invalid, "unexpected EOF"},
		"a library":                               {offer(tgz(t, chartYAMLWith("type: library\n")...)), invalid, "library"},
		"row 132: a name with control characters": {offer(tgz(t, item{name: "web/Chart.yaml", text: "apiVersion: v2\nname: \"a\\x1b[31m\"\nversion: 1.0.0\n"})), invalid, ""},
		"a page for people":                       {index("<!DOCTYPE html><html><body>log in: </body></html>"), source, "index.yaml cannot be used"},
		"an index of nothing":                     {index("{}"), source, "no apiVersion"},
		"an index with holes":                     {index("apiVersion: v1\nentries: {web: [null, {version: 1.0.0}]}"), tenancy.ErrChartNotFound, "no version"},
		"an index to somewhere else":              {index("apiVersion: v1\nentries: {web: [{version: 1.0.0, urls: ['file:///etc/passwd']}]}"), invalid, "no http or https URL"},
		"redirects without end":                   {http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x"+r.URL.Path, http.StatusFound) }), source, "redirected more than"},
		"an error with much text":                 {http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, strings.Repeat(secret, 500), 500) }), source, "500 Internal Server Error"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewUnstartedServer(tc.handler)
			server.Config.ErrorLog = quiet()
			server.Start()
			t.Cleanup(server.Close)
			s, _ := run(t, small, secretsOf(map[string]map[string]string{"key": {"username": user, "password": secret}}))
			s.Sync([]tenancy.Repository{{Name: "shop", URL: server.URL, SecretName: "key"}}, []tenancy.ChartRef{wanting("")})
			await(t, isError(s, wanting(""), tc.want))
			says(t, s, wanting(""), tc.text)
		})
	}
}
