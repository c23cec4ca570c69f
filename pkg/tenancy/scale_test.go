package tenancy

import (
	"fmt"
	"testing"

	"multitenancy.dev/multi-tenancy-operator/pkg/fixture"
)

// BenchmarkDigest makes the digest of one release for each tenancy.
func BenchmarkDigest(b *testing.B) {
	fixture.Growth(b, func(b *testing.B, n int) func() {
		values := make([]map[string]any, n)
		for i := range values {
			host := fmt.Sprintf("school-%04d.example.com", i)
			values[i] = map[string]any{
				"host": host, "replicaCount": int64(2),
				"image":     map[string]any{"repository": "registry.example.com/moodle", "tag": "4.10"},
				"ingress":   map[string]any{"enabled": true, "hosts": []any{map[string]any{"host": host, "paths": []any{"/"}}}},
				"resources": map[string]any{"requests": map[string]any{"cpu": "100m", "memory": "256Mi"}},
			}
		}
		return func() {
			for _, v := range values {
				if _, err := DigestOf("chart", v); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
