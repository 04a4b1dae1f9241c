// Package deploy reads, plans and runs a set over the fleet. It is the only package that works on many clusters at
// once: it fans out, keeps one cluster's failure from stopping another's work, and joins what came of it.
//
// Everything it learns comes back as values: a State for what is there, a Plan for what would be done, Problems for what
// failed or deserves a word. It prints nothing and knows nothing of Terraform.
package deploy
