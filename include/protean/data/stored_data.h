// What a run keeps of the data it was made from, so that it is read again as it
// was then: the split, means and scales, characters, shapes.
//
// Classes are upright ones, by the names that the data has for them. A class is
// the same when it has as many examples and these hash to the same; of more
// than 2^24 values eight examples of every class are hashed, of more than 2^32
// one. A turned or inverted data set has the same classes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "protean/core/plan.h"
#include "protean/data/dataset.h"
#include "protean/data/options.h"
#include "protean/data/splits.h"

namespace protean {

struct StoredClass {
  std::string name;
  uint32_t size = 0;  // examples
  std::string hash;   // of them, 16 hexadecimal digits
  bool operator==(const StoredClass&) const = default;
};

// What the data that is opened is to the run.
enum class UseStored {
  split,    // the run's own: its split is taken, and what differs is refused
  exactly,  // the same, and no class may have come since
  listed,   // any: all of its classes are for test
  values,   // any, split as data.split says
  nothing   // none is opened: examples have a shape, and cannot be read
};

struct StoredData {
  UseStored use = UseStored::split;
  std::string path;               // absolute; "": shipped
  std::vector<std::string> also;  // absolute, of data.also
  std::string checksum;           // of the examples
  // `unused` are in no split.
  std::vector<StoredClass> train, validation, test, unused;
  uint32_t hashed = 0;  // examples of a class that were; 0: all
  std::vector<int64_t> shape;
  bool ink = false;
  // Of a LabelledDataset, see there.
  nlohmann::json fitted;
  TaskShape train_shape;  // of training tasks, as the learner was made for

  uint64_t classes() const;
  bool keeps_split() const {
    return use == UseStored::split || use == UseStored::exactly ||
           use == UseStored::listed;
  }
};

// Of data that is split so; without paths and train_shape.
StoredData describe(const ClassDataset& data, const DataOptions& how,
                    const Splits& splits);
nlohmann::json to_json(const StoredData& data);
// Throws nlohmann::json::exception.
StoredData stored_data_from(const nlohmann::json& record);

// how.stored's split of the data. Classes that came since are in none of its
// parts: a warning names them. Throws ConfigError saying what differs and what
// can be done: when a class is missing or has other examples, or with
// UseStored::exactly when one came.
Splits stored_splits(const ClassDataset& data, const DataOptions& how);

// 16 hexadecimal digits of these examples as they are read, with their targets.
std::string hash_of(const ClassDataset& data, uint32_t cls,
                    const std::vector<uint32_t>& examples,
                    bool inverted = false);

// Stands for examples that are not there. Whoever reads one is told where they
// were (DataError).
DatasetPtr absent_dataset(const StoredData& stored);

}  // namespace protean
