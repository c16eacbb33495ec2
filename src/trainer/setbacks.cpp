#include "trainer/setbacks.h"

#include <algorithm>
#include <cmath>

#include "protean/core/error.h"
#include "protean/core/log.h"

namespace protean {

double Setbacks::rate() const { return std::exp2(-static_cast<double>(count)); }

Setbacks Setbacks::with_another(int64_t step, int64_t first,
                                bool of_checkpoint) const {
  // What a checkpoint holds may be lost already, if finite.
  const bool in_vain = step == first || step <= diverged_at;
  return {count + 1, std::max(step, diverged_at),
          in_vain && of_checkpoint ? first : -1};
}

TrainOutcome with_retries(
    int64_t retries, bool tells,
    const std::function<TrainOutcome(const Setbacks&)>& attempt) {
  for (Setbacks setbacks;;) try {
      return attempt(setbacks);
    } catch (const Diverged& d) {
      setbacks = d.now;
      if (setbacks.count > retries) throw AgreedError(d.error);
      if (tells)
        log_warning(concat(
            d.error.what(), "; going back to the newest checkpoint for the ",
            setbacks.count, ". time of optim.retries = ", retries,
            ", with optim.lr times ", setbacks.rate()));
    }
}

}  // namespace protean
