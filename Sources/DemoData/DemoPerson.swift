import Governor

/// Somebody in the file.
struct DemoPerson: Sendable {
  static let header = [
    "mobile", "first_name", "last_name", "country", "city", "language", "discount", "consent_source", "consent_at",
  ]

  let phone: WrittenPhone
  let firstName: String
  let lastName: String
  let hasBrokenName: Bool
  let city: String
  let language: String
  let discount: String
  let consent: (source: String, at: String)?

  /// With a phone that nobody in `taken` has; it is added there.
  init(_ chance: inout SplitMix64, _ taken: inout Set<String>) {
    let country = chance.draw(DemoShares.countries)
    var phone = WrittenPhone(country: country, national: country.mobile(&chance))
    while !taken.insert(phone.e164).inserted {
      phone = WrittenPhone(country: country, national: country.mobile(&chance))
    }
    self.phone = phone

    let isArabic = chance.hits(DemoShares.arabicNames)
    let given = DemoNames.given[chance.place(DemoNames.given.count)]
    let family = DemoNames.family[chance.place(DemoNames.family.count)]
    var name = isArabic ? given.arabic : given.latin
    let hasName = !chance.hits(DemoShares.noName)
    hasBrokenName = hasName && chance.hits(DemoShares.brokenName)
    if hasBrokenName {
      name += "\n" + (isArabic ? family.arabic : family.latin)
    } else if chance.hits(DemoShares.ornateName) {
      let ornament = DemoNames.ornaments[chance.place(DemoNames.ornaments.count)]
      name = ornament.before + name + ornament.after
    }
    firstName = hasName ? name : ""
    lastName = hasName && chance.place(5) > 0 ? isArabic ? family.arabic : family.latin : ""
    let place = country.cities[chance.place(country.cities.count)]
    // The city's script is mostly the name's, but a branch abroad fills in forms its own way.
    let cityIsArabic = chance.place(8) == 0 ? !isArabic : isArabic
    city = chance.hits(DemoShares.noCity) ? "" : cityIsArabic ? place.arabic : place.latin
    language = isArabic ? "ar" : country.code == "MA" ? "fr" : "en"
    discount = chance.hits(DemoShares.noDiscount) ? "" : DemoNames.discounts[chance.place(DemoNames.discounts.count)]
    let source = country.consentSources[chance.place(country.consentSources.count)]
    let at = DemoPerson.day(&chance)
    consent = chance.hits(DemoShares.noConsent) ? nil : (source, at)
  }

  /// The row of this person with the phone in that form.
  func row(_ form: PhoneForm, _ chance: inout SplitMix64) -> [String] {
    let country = phone.country
    let mayLackCountry = country.code == DemoAudience.defaultRegion || !form.needsCountry
    let share =
      country.code == DemoAudience.defaultRegion ? DemoShares.noCountryCell.egyptians : DemoShares.noCountryCell.others
    // Drawn in any case, so that one person's luck does not shift everybody's after.
    let (isLeftOut, style) = (chance.hits(share), chance.place(4))
    let written = style > 0 ? country.code : country.names[chance.place(country.names.count)]
    return row(phone: phone.text(form), country: mayLackCountry && isLeftOut ? "" : written)
  }

  func row(phone: String, country: String) -> [String] {
    [phone, firstName, lastName, country, city, language, discount, consent?.source ?? "", consent?.at ?? ""]
  }

  /// A day from 2023 to 2025, or a time of it.
  private static func day(_ chance: inout SplitMix64) -> String {
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : String(value) }
    let day = "\(2023 + chance.place(3))-\(two(1 + chance.place(12)))-\(two(1 + chance.place(28)))"
    let time = "T\(two(chance.place(24))):\(two(chance.place(60))):00Z"
    return chance.place(2) == 0 ? day : day + time
  }
}
