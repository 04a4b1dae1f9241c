// Package rollout decides which clusters get a new revision next. It is pure: the strategy, the progress made so far
// and the time go in, one step comes out, with the reasons in sentences. Who calls it carries the step out, notes what
// became of it, and asks again, until the step has a verdict other than Running.
//
// The machine remembers nothing between two calls, so a rollout that was cut off goes on from what the clusters run.
//
//   - Waves go in order. The next one begins when each cluster of the one before is healthy at the new revision, or has
//     failed within what is tolerated, and the wave has soaked. Clusters that no wave names form the last one, Rest.
//     Within a wave clusters start by name, as many as its concurrency allows.
//   - A cluster that cannot be reached or is in maintenance is deferred. It counts in no percentage, in no failures and
//     in no wave: a wave with nobody else is passed over, and a reason says so.
//   - A wave has failed when there are more failures than tolerated, counted over the whole rollout, or when its work is
//     done and not one of its clusters is healthy: a canary that died proves nothing, however much is tolerated.
//   - A failed cluster holds no slot. One that is not healthy by the progress deadline has failed.
//   - A cluster that joins a wave that is already over is brought up to date before a later wave goes on.
//   - What leaves the set comes after what stays, so that a move starts the new before it removes the old.
package rollout
