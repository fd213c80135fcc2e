# Made anew with each apply and kept nowhere but in the vault, which takes them when their version grows.
ephemeral "random_password" "this" {
  for_each = toset(["database-admin", "database-owner", "database-app", "database-scaler", "app-token", "api-token"])
  length   = 40
  special  = false
}

resource "azurerm_key_vault" "this" {
  name                       = var.name
  location                   = var.region
  resource_group_name        = azurerm_resource_group.this.name
  tenant_id                  = data.azurerm_client_config.current.tenant_id
  sku_name                   = "standard"
  rbac_authorization_enabled = true
  purge_protection_enabled   = true
  soft_delete_retention_days = 90

  network_acls {
    bypass                     = "AzureServices"
    default_action             = "Deny"
    ip_rules                   = var.administrators
    virtual_network_subnet_ids = [azurerm_subnet.nodes.id]
  }
}

locals {
  passwords     = ephemeral.random_password.this
  database_host = azurerm_postgresql_flexible_server.this.fqdn
}

# What charts/daybook-platform/values-production.yaml reads.
resource "azurerm_key_vault_secret" "daybook" {
  name         = "daybook"
  key_vault_id = azurerm_key_vault.this.id
  content_type = "application/json"
  value_wo = jsonencode({
    database-admin-url    = "postgres://postgres:${local.passwords["database-admin"].result}@${local.database_host}:5432/daybook?sslmode=require"
    migration-url         = "postgres://daybook_owner:${local.passwords["database-owner"].result}@${local.database_host}:5432/daybook?sslmode=require"
    database-url          = "postgres://daybook_app:${local.passwords["database-app"].result}@${local.database_host}:5432/daybook?sslmode=require"
    scaler-url            = "postgres://daybook_scaler:${local.passwords["database-scaler"].result}@${local.database_host}:5432/daybook?sslmode=require"
    app-token             = local.passwords["app-token"].result
    api-token             = local.passwords["api-token"].result
    event-hubs-connection = azurerm_eventhub_namespace_authorization_rule.daybook.primary_connection_string
  })
  value_wo_version = 1
}

# External Secrets reads the vault as itself, without a key.
resource "azurerm_user_assigned_identity" "external_secrets" {
  name                = "${var.name}-external-secrets"
  location            = var.region
  resource_group_name = azurerm_resource_group.this.name
}

resource "azurerm_federated_identity_credential" "external_secrets" {
  name                      = "external-secrets"
  user_assigned_identity_id = azurerm_user_assigned_identity.external_secrets.id
  audience                  = ["api://AzureADTokenExchange"]
  issuer                    = azurerm_kubernetes_cluster.this.oidc_issuer_url
  subject                   = "system:serviceaccount:external-secrets:external-secrets"
}

resource "azurerm_role_assignment" "external_secrets" {
  scope                = azurerm_key_vault.this.id
  role_definition_name = "Key Vault Secrets User"
  principal_id         = azurerm_user_assigned_identity.external_secrets.principal_id
}
