// Package health tells whether an object has become what it was asked to be. Its core is pure: one object in, one
// Health out, by the rules of kstatus (https://github.com/kubernetes-sigs/cli-utils/tree/master/pkg/kstatus).
package health
