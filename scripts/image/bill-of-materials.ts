import { Enums, Models, Serialize, Spec } from '@cyclonedx/cyclonedx-library'
import { DEBIAN_PACKAGES } from '../../tools/image/debian-files.ts'
import packageJson from '../../package.json' with { type: 'json' }

/** What the image is made of (CycloneDX 1.6): the npm packages that are in the bundles, Node, and Debian's libraries. */
export function billOfMaterials(npmPackages: ReadonlyMap<string, string>, nodeVersion: string): string {
  const components = [
    ...[...npmPackages].map(([name, version]) =>
      libraryOf(`pkg:npm/${name.replace('@', '%40')}@${version}`, name, version),
    ),
    ...DEBIAN_PACKAGES.map(({ name, version }) =>
      libraryOf(`pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=amd64`, name, version),
    ),
    new Models.Component(Enums.ComponentType.Platform, 'node', {
      version: nodeVersion,
      purl: `pkg:generic/node@${nodeVersion}`,
      bomRef: `node@${nodeVersion}`,
    }),
  ]
  const bom = new Models.Bom({
    metadata: new Models.Metadata({
      component: new Models.Component(Enums.ComponentType.Container, packageJson.name, {
        version: packageJson.version,
        bomRef: packageJson.name,
      }),
    }),
    components: new Models.ComponentRepository(components),
  })
  const normalizer = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6)
  return new Serialize.JsonSerializer(normalizer).serialize(bom, { sortLists: true, space: 2 })
}

const libraryOf = (purl: string, name: string, version: string) =>
  new Models.Component(Enums.ComponentType.Library, name, { version, purl, bomRef: purl })
