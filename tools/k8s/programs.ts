import { fileURLToPath } from 'node:url'
import { goTools } from '../go-tools.ts'

export const { isBuilt, program, buildPrograms } = goTools(
  { of: 'Helm', folder: fileURLToPath(new URL('./', import.meta.url)) },
  {
    helm: 'helm.sh/helm/v4/cmd/helm',
    kubeconform: 'github.com/yannh/kubeconform/cmd/kubeconform',
  },
)
