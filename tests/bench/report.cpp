#include "tests/bench/report.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "sdk/json/writer.hpp"

namespace chancery::bench {

void Report::add(std::string_view name, double value) {
  if (std::ranges::any_of(figures_, [&](const auto& figure) { return figure.first == name; })) std::abort();
  figures_.emplace_back(name, value);
}

void Report::print(std::FILE* out) const {
  for (const auto& [name, value] : figures_) {
    // Ratios and microseconds want decimals, requests a second do not.
    std::fprintf(out, "%-36s %12.*f\n", name.c_str(), value < 100 ? 3 : 0, value);
  }
}

Status Report::write_json(const std::string& file) const {
  json::Node object = json::Node::object();
  for (const auto& [name, value] : figures_) object.set(name, value);
  std::ofstream out(file);
  out << json::to_jcs(object) << '\n';
  out.close();
  return out ? Status{} : Status{Error{ErrorCode::kFileUnwritable, "the file of --json cannot be written"}};
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

double percentile(std::vector<double> values, std::size_t percent) {
  std::ranges::sort(values);
  return values[std::min(values.size() - 1, values.size() * percent / 100)];
}

SideBySide median_ratio(const std::function<double()>& a, const std::function<double()>& b, int rounds) {
  std::vector<double> as, bs, ratios;
  for (int round = 0; round < rounds; ++round) {
    // Who goes first changes from round to round, too.
    if (round % 2 == 0) as.push_back(a());
    bs.push_back(b());
    if (round % 2 != 0) as.push_back(a());
    ratios.push_back(as.back() / bs.back());
  }
  return {median(as), median(bs), median(ratios)};
}

}  // namespace chancery::bench
