output "kubeconfig_command" {
  value = "az aks get-credentials --resource-group ${azurerm_resource_group.this.name} --name ${azurerm_kubernetes_cluster.this.name}"
}

output "name_servers" {
  value = azurerm_dns_zone.this.name_servers
}

output "database_host" {
  value = azurerm_postgresql_flexible_server.this.fqdn
}

output "kafka_brokers" {
  value = "${azurerm_eventhub_namespace.this.name}.servicebus.windows.net:9093"
}

output "secret_store" {
  description = "For the ClusterSecretStore of External Secrets."
  value = {
    vault_url = azurerm_key_vault.this.vault_uri
    client_id = azurerm_user_assigned_identity.external_secrets.client_id
  }
}

output "network_policy_peers" {
  description = "For networkPolicy.*.peers of the charts; Event Hubs has public addresses."
  value       = { database = azurerm_subnet.database.address_prefixes, kafka = ["0.0.0.0/0"] }
}
