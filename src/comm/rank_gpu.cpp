#include "protean/comm/rank_gpu.h"

namespace protean {

RankPlace place_of(const World& world) {
  return {world.host, world.local_rank, world.local_size,
          std::string(world.control->backend()) == "inproc"};
}

int rank_gpu(int visible, const RankPlace& place) {
  if (visible < 1)
    throw ConfigError(concat("no GPU is visible on ", place.host,
                             "; expected one per rank (nvidia-smi there, "
                             "CUDA_VISIBLE_DEVICES, the job's request)"));
  if (visible == 1) return 0;
  if (place.thread) return place.local_rank % visible;
  if (place.local_rank < visible) return place.local_rank;
  throw ConfigError(
      concat(visible, " GPUs are visible on ", place.host, " for local rank ",
             place.local_rank,
             "; start at most one rank per GPU (mpirun --map-by ppr:", visible,
             ":node, srun --ntasks-per-node=", visible, ")"));
}

bool gpus_are_shared(int visible, const RankPlace& place) {
  return place.thread && place.local_size > visible;
}

}  // namespace protean
