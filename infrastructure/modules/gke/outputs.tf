output "kubeconfig_command" {
  value = "gcloud container clusters get-credentials ${google_container_cluster.this.name} --region ${var.region} --project ${var.project}"
}

output "name_servers" {
  value = google_dns_managed_zone.this.name_servers
}

output "database_host" {
  value = google_sql_database_instance.this.private_ip_address
}

output "kafka_brokers" {
  value = "bootstrap.${var.name}.${var.region}.managedkafka.${var.project}.cloud.goog:9092"
}

output "secret_store" {
  description = "For the ClusterSecretStore of External Secrets."
  value       = { project = var.project, secret = google_secret_manager_secret.daybook.secret_id }
}

output "network_policy_peers" {
  description = "For networkPolicy.*.peers of the charts."
  value       = { database = ["10.20.64.0/20"], kafka = [google_compute_subnetwork.nodes.ip_cidr_range] }
}

output "trusted_proxies" {
  value = google_compute_subnetwork.proxies.ip_cidr_range
}
