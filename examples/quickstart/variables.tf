variable "kubeconfig" {
  description = "Path of a kubeconfig with the contexts eu-1, eu-2 and us-1."
  type        = string
}

variable "regions" {
  description = "Regions the shop runs in. Take one away, and a plan shows what leaves which cluster."
  type        = list(string)
  default     = ["eu", "us"]
}
