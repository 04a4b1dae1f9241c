// Package health tells whether an object has become what it was asked to be, and why not. An object, and
// what was found around it, go in; a Health or a reason comes out. The rules are those of kstatus
// (https://github.com/kubernetes-sigs/cli-utils/tree/master/pkg/kstatus), or, where a Check says so, expressions in CEL.
package health
