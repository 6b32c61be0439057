#include "filter/attribute_reader.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <simdjson.h>
#include <system_error>
#include <tuple>
#include <vector>

#include "filter/value.h"

namespace reco::filter {

using simdjson::ondemand::json_type;

// Reads on demand, so that a value which is not usable (a number beyond double, say) costs that
// field alone and not the record.
class AttributeReader::Impl {
 public:
  bool Load(std::string_view json) {
    fields_.clear();
    scalars_.clear();
    // simdjson reads past the end of its text, within a padding of its own.
    if (padded_.size() < json.size() + simdjson::SIMDJSON_PADDING) {
      padded_.resize(json.size() + simdjson::SIMDJSON_PADDING);
    }
    if (!json.empty()) {
      std::memcpy(padded_.data(), json.data(), json.size());
    }
    std::memset(padded_.data() + json.size(), ' ', simdjson::SIMDJSON_PADDING);
    return LoadFields(json.size());
  }

  void Visit(Visitor visit) {
    std::sort(fields_.begin(), fields_.end(), [](const Field& a, const Field& b) {
      return std::tie(a.name, a.position) < std::tie(b.name, b.position);
    });
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      const Field& field = fields_[i];
      if (i + 1 < fields_.size() && fields_[i + 1].name == field.name) {
        continue;  // said again later
      }
      const std::span<const AttributeScalar> elements(scalars_);
      visit(field.name, {field.scalar, elements.subspan(field.first, field.count)});
    }
  }

 private:
  struct Field {
    std::string_view name;
    std::size_t position = 0;
    AttributeScalar scalar;
    std::size_t first = 0;  // of its elements among scalars_
    std::size_t count = 0;
  };

  bool LoadFields(std::size_t size) {
    simdjson::ondemand::document document;
    simdjson::ondemand::object object;
    // Errors of single values come up in Scalar; here only what makes it no object.
    if (parser_.iterate(padded_.data(), size, padded_.size()).get(document) != simdjson::SUCCESS ||
        document.get_object().get(object) != simdjson::SUCCESS) {
      return false;
    }
    for (auto item : object) {
      simdjson::ondemand::field field;
      if (std::move(item).get(field) != simdjson::SUCCESS) {
        return false;
      }
      Field read;
      // The value is read also when the name is not usable, or the walk could not go on.
      const bool named = field.unescaped_key().get(read.name) == simdjson::SUCCESS;
      if (!LoadValue(field.value(), &read)) {
        return false;
      }
      if (named) {
        read.position = fields_.size();
        fields_.push_back(read);
      }
    }
    return document.current_location().error() == simdjson::OUT_OF_BOUNDS;  // all is read
  }

  bool LoadValue(simdjson::ondemand::value value, Field* field) {
    json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS) {
      return false;
    }
    if (type != json_type::array) {
      field->scalar = Scalar(value, type);
      return true;
    }
    field->scalar.type = AttributeType::kArray;
    field->first = scalars_.size();
    if (!LoadElements(value)) {
      return false;
    }
    field->count = scalars_.size() - field->first;
    const auto begin = scalars_.begin() + static_cast<std::ptrdiff_t>(field->first);
    if (std::any_of(begin, scalars_.end(),
                    [](const auto& s) { return s.type == AttributeType::kOther; })) {
      // One element that no value of ours can hold makes the array unusable as a whole.
      field->scalar.type = AttributeType::kOther;
      field->count = 0;
    }
    return true;
  }

  bool LoadElements(simdjson::ondemand::value value) {
    simdjson::ondemand::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS) {
      return false;
    }
    for (auto item : array) {
      simdjson::ondemand::value element;
      json_type type{};
      // A result gives its value to its move alone.
      // NOLINTNEXTLINE(performance-move-const-arg)
      if (std::move(item).get(element) != simdjson::SUCCESS ||
          element.type().get(type) != simdjson::SUCCESS) {
        return false;
      }
      scalars_.push_back(Scalar(element, type));
    }
    return true;
  }

  // Returns the value; kOther for what is no scalar or has no value of ours.
  static AttributeScalar Scalar(simdjson::ondemand::value value, json_type type) {
    AttributeScalar scalar{.type = AttributeType::kOther};
    bool flag = false;
    if (type == json_type::null && value.is_null()) {
      scalar.type = AttributeType::kNull;
    } else if (type == json_type::boolean && value.get_bool().get(flag) == simdjson::SUCCESS) {
      scalar.type = AttributeType::kBoolean;
      scalar.number = flag ? 1 : 0;
    } else if (type == json_type::number) {
      const std::string_view token = value.raw_json_token();
      if (value.get_double().get(scalar.number) == simdjson::SUCCESS) {
        scalar.type = AttributeType::kNumber;
        scalar.integer = IntegerOf(token, scalar.number);
      }
    } else if (type == json_type::string &&
               value.get_string().get(scalar.text) == simdjson::SUCCESS) {
      scalar.type = AttributeType::kString;
    }
    if (scalar.type == AttributeType::kOther) {
      scalar = AttributeScalar{.type = AttributeType::kOther};
    }
    return scalar;
  }

  // Returns the integer that the token, a number next to `number`, is when no double is it, else 0.
  // White space may follow the token.
  static std::int64_t IntegerOf(std::string_view token, double number) {
    constexpr double kAllIntegersBelow = 0x1p53;
    if (std::abs(number) < kAllIntegersBelow) {
      return 0;
    }
    std::int64_t integer = 0;
    const char* last = token.data() + token.size();
    const auto parsed = std::from_chars(token.data(), last, integer);
    const bool whole =
        parsed.ptr == last || std::string_view(".eE").find(*parsed.ptr) == std::string_view::npos;
    return parsed.ec == std::errc() && whole ? BeyondDouble(integer) : 0;
  }

  simdjson::ondemand::parser parser_;
  std::vector<char> padded_;
  std::vector<Field> fields_;
  std::vector<AttributeScalar> scalars_;  // the elements of all arrays
};

AttributeReader::AttributeReader() : impl_(std::make_unique<Impl>()) {}
AttributeReader::~AttributeReader() = default;

bool AttributeReader::Read(std::string_view json, Visitor visit) {
  if (!impl_->Load(json)) {
    return false;
  }
  impl_->Visit(visit);
  return true;
}

}  // namespace reco::filter
