package watch

import (
	corev1 "k8s.io/api/core/v1"
	coreinformers "k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"multitenancy.dev/multi-tenancy-operator/pkg/status"
)

// newNodes follows which nodes there are, and whether they are ready.
func newNodes(client kubernetes.Interface, meter meter, onChange func()) (cache.SharedIndexInformer, error) {
	informer := coreinformers.NewNodeInformer(client, 0, cache.Indexers{})
	if err := informer.SetTransform(slim); err != nil {
		return nil, err
	}
	_, err := informer.AddEventHandler(meter.of("nodes", readiness(onChange)))
	return informer, err
}

// readiness tells of nodes that come, go, or become ready or not: each kubelet tells
// every few minutes that nothing is new, and a cluster may have hundreds.
func readiness(onChange func()) cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { onChange() },
		UpdateFunc: func(before, after any) {
			_, was := nodeReady(before)
			if _, is := nodeReady(after); was != is {
				onChange()
			}
		},
		DeleteFunc: func(any) { onChange() },
	}
}

// Nodes tells of each node whether it is ready.
func (w *Watcher) Nodes() status.Nodes {
	out := status.Nodes{}
	for _, item := range w.nodes.GetStore().List() {
		name, ready := nodeReady(item)
		out[name] = ready
	}
	return out
}

// nodeReady reads a node that slim has passed.
func nodeReady(item any) (name string, ready bool) {
	node, ok := item.(*corev1.Node)
	if !ok {
		return "", false
	}
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			ready = c.Status == corev1.ConditionTrue
		}
	}
	return node.Name, ready
}
