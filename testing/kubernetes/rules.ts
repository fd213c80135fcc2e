import type { Manifests } from './manifests.ts'
import { clientsAreKnown, edgeIsReached, networkIsClosed } from './rules/network.ts'
import {
  appsAreProbed,
  knativeTakesIt,
  podsAreRestricted,
  podsAskForResources,
  secretsFit,
} from './rules/pods.ts'
import {
  annotationsAreKnown,
  configurationsFit,
  endpointsFit,
  scopesFit,
  sidecarsFit,
} from './rules/sidecars.ts'
import { scalingFits, topicsAreMade, workIsDone } from './rules/work.ts'

/** What must hold of the manifests that no schema knows; each finding names the function or app, and the field. */
const RULES: readonly ((manifests: Manifests) => string[])[] = [
  workIsDone,
  scalingFits,
  topicsAreMade,
  sidecarsFit,
  annotationsAreKnown,
  scopesFit,
  configurationsFit,
  endpointsFit,
  podsAreRestricted,
  podsAskForResources,
  appsAreProbed,
  secretsFit,
  knativeTakesIt,
  networkIsClosed,
  clientsAreKnown,
  edgeIsReached,
]

export const breaches = (manifests: Manifests): string[] => RULES.flatMap((rule) => rule(manifests))
