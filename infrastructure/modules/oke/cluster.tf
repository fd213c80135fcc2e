resource "oci_containerengine_cluster" "this" {
  compartment_id     = var.compartment
  name               = var.name
  kubernetes_version = var.kubernetes_version
  vcn_id             = oci_core_vcn.this.id
  # Workload identity comes with the enhanced kind.
  type       = "ENHANCED_CLUSTER"
  kms_key_id = oci_kms_key.this.id

  cluster_pod_network_options {
    cni_type = "OCI_VCN_IP_NATIVE"
  }

  endpoint_config {
    is_public_ip_enabled = true
    subnet_id            = oci_core_subnet.this["api"].id
    nsg_ids              = [oci_core_network_security_group.this["api"].id]
  }

  options {
    service_lb_subnet_ids = [oci_core_subnet.this["balancer"].id]
    service_lb_config {
      backend_nsg_ids = [oci_core_network_security_group.this["nodes"].id]
    }
  }
}

# Its size is fixed: the autoscaler of OKE is an add-on of the cluster, and counts from here.
resource "oci_containerengine_node_pool" "work" {
  compartment_id     = var.compartment
  cluster_id         = oci_containerengine_cluster.this.id
  name               = "work"
  kubernetes_version = var.kubernetes_version
  node_shape         = "VM.Standard.E4.Flex"

  node_shape_config {
    ocpus         = 2
    memory_in_gbs = 16
  }

  node_source_details {
    source_type = "IMAGE"
    image_id    = var.node_image
  }

  node_config_details {
    size                                = var.size.nodes.min
    is_pv_encryption_in_transit_enabled = true
    nsg_ids                             = [oci_core_network_security_group.this["nodes"].id]

    dynamic "placement_configs" {
      for_each = data.oci_identity_availability_domains.this.availability_domains
      content {
        availability_domain = placement_configs.value.name
        subnet_id           = oci_core_subnet.this["nodes"].id
      }
    }

    node_pool_pod_network_option_details {
      cni_type       = "OCI_VCN_IP_NATIVE"
      pod_subnet_ids = [oci_core_subnet.this["pods"].id]
      pod_nsg_ids    = [oci_core_network_security_group.this["pods"].id]
    }
  }
}
