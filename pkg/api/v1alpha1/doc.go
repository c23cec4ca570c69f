// Package v1alpha1 is the wire shape of multitenancy.dev/v1alpha1: the
// Controller and Tenancy kinds, their condition types and reasons. It has no behaviour.
//
// +kubebuilder:object:generate=true
// +groupName=multitenancy.dev
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the API group and version of this package.
var GroupVersion = schema.GroupVersion{Group: "multitenancy.dev", Version: "v1alpha1"}

// AddToScheme registers the kinds of this package.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion, &Controller{}, &ControllerList{}, &Tenancy{}, &TenancyList{})
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}
