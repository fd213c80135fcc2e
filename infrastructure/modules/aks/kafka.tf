# Event Hubs by its Kafka endpoint: the variant pubsub-event-hubs of the chart.
resource "azurerm_eventhub_namespace" "this" {
  name                          = var.name
  location                      = var.region
  resource_group_name           = azurerm_resource_group.this.name
  sku                           = "Standard"
  capacity                      = 1
  auto_inflate_enabled          = true
  maximum_throughput_units      = var.size.kafka_cpus * 2
  minimum_tls_version           = "1.2"
  public_network_access_enabled = true

  # Only from the nodes.
  network_rulesets {
    default_action                 = "Deny"
    public_network_access_enabled  = true
    trusted_service_access_enabled = false
    virtual_network_rule {
      subnet_id = azurerm_subnet.nodes.id
    }
  }
}

resource "azurerm_eventhub" "topic" {
  for_each        = var.topics
  name            = each.key
  namespace_id    = azurerm_eventhub_namespace.this.id
  partition_count = each.value.partitions
  # Seven days are the most that the standard tier keeps.
  message_retention = min(each.value.retentionDays, 7)
}

resource "azurerm_eventhub_namespace_authorization_rule" "daybook" {
  name                = "daybook"
  namespace_name      = azurerm_eventhub_namespace.this.name
  resource_group_name = azurerm_resource_group.this.name
  listen              = true
  send                = true
  manage              = false
}
