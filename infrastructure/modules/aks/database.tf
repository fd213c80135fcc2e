resource "azurerm_private_dns_zone" "database" {
  name                = "${var.name}.private.postgres.database.azure.com"
  resource_group_name = azurerm_resource_group.this.name
}

resource "azurerm_private_dns_zone_virtual_network_link" "database" {
  name                = var.name
  private_dns_zone_id = azurerm_private_dns_zone.database.id
  virtual_network_id  = azurerm_virtual_network.this.id
}

resource "azurerm_postgresql_flexible_server" "this" {
  name                              = var.name
  location                          = var.region
  resource_group_name               = azurerm_resource_group.this.name
  version                           = "18"
  sku_name                          = "GP_Standard_D${var.size.database.cpus}ds_v5"
  storage_mb                        = var.size.database.storage_gb * 1024
  auto_grow_enabled                 = true
  backup_retention_days             = var.size.database.backup_days
  geo_redundant_backup_enabled      = var.size.protected
  public_network_access_enabled     = false
  delegated_subnet_id               = azurerm_subnet.database.id
  private_dns_zone_id               = azurerm_private_dns_zone.database.id
  administrator_login               = "postgres"
  administrator_password_wo         = ephemeral.random_password.this["database-admin"].result
  administrator_password_wo_version = 1
  zone                              = "1"

  dynamic "high_availability" {
    for_each = var.size.database.standby ? ["2"] : []
    content {
      mode                      = "ZoneRedundant"
      standby_availability_zone = high_availability.value
    }
  }

  depends_on = [azurerm_private_dns_zone_virtual_network_link.database]

  lifecycle {
    prevent_destroy = true
  }
}

resource "azurerm_postgresql_flexible_server_database" "daybook" {
  name      = "daybook"
  server_id = azurerm_postgresql_flexible_server.this.id
}

# What the first migration creates.
resource "azurerm_postgresql_flexible_server_configuration" "extensions" {
  name      = "azure.extensions"
  server_id = azurerm_postgresql_flexible_server.this.id
  value     = "FUZZYSTRMATCH"
}
