resource "azurerm_kubernetes_cluster" "this" {
  name                      = var.name
  location                  = var.region
  resource_group_name       = azurerm_resource_group.this.name
  dns_prefix                = var.name
  sku_tier                  = var.size.protected ? "Standard" : "Free"
  automatic_upgrade_channel = "patch"
  node_os_upgrade_channel   = "NodeImage"
  local_account_disabled    = true
  oidc_issuer_enabled       = true
  workload_identity_enabled = true
  azure_policy_enabled      = true
  # The cluster is not private: administrators are named by their networks.
  private_cluster_enabled = false

  api_server_access_profile {
    authorized_ip_ranges = var.administrators
  }

  azure_active_directory_role_based_access_control {
    azure_rbac_enabled     = true
    admin_group_object_ids = var.administrator_groups
    tenant_id              = data.azurerm_client_config.current.tenant_id
  }

  default_node_pool {
    name                         = "system"
    vm_size                      = "Standard_D2ds_v5"
    node_count                   = var.size.protected ? 3 : 1
    os_disk_type                 = "Ephemeral"
    max_pods                     = 110
    only_critical_addons_enabled = true
    host_encryption_enabled      = true
    vnet_subnet_id               = azurerm_subnet.nodes.id
    temporary_name_for_rotation  = "rotation"
  }

  node_provisioning_profile {
    mode = "Manual"
  }

  identity {
    type = "SystemAssigned"
  }

  network_profile {
    network_plugin      = "azure"
    network_plugin_mode = "overlay"
    network_data_plane  = "cilium"
    network_policy      = "cilium"
  }
}

# Replaced on their own, without the cluster.
resource "azurerm_kubernetes_cluster_node_pool" "work" {
  name                    = "work"
  kubernetes_cluster_id   = azurerm_kubernetes_cluster.this.id
  vm_size                 = "Standard_D4ds_v5"
  os_disk_type            = "Ephemeral"
  max_pods                = 110
  auto_scaling_enabled    = true
  min_count               = var.size.nodes.min
  max_count               = var.size.nodes.max
  zones                   = ["1", "2", "3"]
  host_encryption_enabled = true
  vnet_subnet_id          = azurerm_subnet.nodes.id

  upgrade_settings {
    max_surge = "33%"
  }
}
