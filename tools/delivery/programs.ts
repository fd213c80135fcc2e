import { fileURLToPath } from 'node:url'
import { goTools } from '../go-tools.ts'

export const { program, buildPrograms } = goTools(
  { of: 'actionlint', folder: fileURLToPath(new URL('./', import.meta.url)) },
  {
    actionlint: 'github.com/rhysd/actionlint/cmd/actionlint',
    hclfmt: 'github.com/hashicorp/hcl/v2/cmd/hclfmt',
    'terraform-config-inspect': 'github.com/hashicorp/terraform-config-inspect',
  },
)
