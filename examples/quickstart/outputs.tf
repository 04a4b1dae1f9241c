output "shop" {
  description = "Where the shop runs, and how it is there."
  value       = { for name, status in fleet_manifest.shop.status : name => status.phase }
}

output "elsewhere" {
  description = "Clusters the shop does not run on, and why."
  value       = fleet_placement.shop.rejected
}
