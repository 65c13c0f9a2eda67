import Governor

/// A country of the file: its numbers, its cities, what people write into a country column.
struct DemoCountry: Sendable {
  let code: String
  let callingCode: String
  /// How the mobiles begin, without the trunk zero, and their length.
  let mobiles: [String]
  let length: Int
  let hasTrunkZero: Bool
  /// Digits as people write them inside the country; `#` is any digit.
  let landlines: [String]
  let services: [String]
  /// Its names, in English and in Arabic.
  let names: [String]
  let cities: [(arabic: String, latin: String)]
  let consentSources: [String]

  /// The national number without trunk zero.
  func mobile(_ chance: inout SplitMix64) -> String {
    let start = mobiles[chance.place(mobiles.count)]
    return start + chance.digits(length - start.utf8.count)
  }

  var trunk: String { hasTrunkZero ? "0" : "" }

  static let egypt = DemoCountry(
    code: "EG", callingCode: "20", mobiles: ["10", "10", "11", "12", "15"], length: 10, hasTrunkZero: true,
    landlines: ["022#######", "034######", "050#######"], services: ["19###", "0800#######"],
    names: ["Egypt", "مصر"],
    cities: [
      ("القاهرة", "Cairo"), ("القاهرة", "Cairo"), ("الجيزة", "Giza"), ("الإسكندرية", "Alexandria"),
      ("المنصورة", "Mansoura"),
      ("طنطا", "Tanta"), ("أسيوط", "Assiut"), ("بورسعيد", "Port Said"),
    ], consentSources: ["website checkout", "فرع مدينة نصر", "loyalty card", "استمارة الفرع"])

  static let saudiArabia = DemoCountry(
    code: "SA", callingCode: "966", mobiles: ["50", "53", "54", "55", "56", "58", "59"], length: 9, hasTrunkZero: true,
    landlines: ["0112######", "0126######", "0138######"], services: ["9200#####", "800#######"],
    names: ["Saudi Arabia", "السعودية", "KSA"],
    cities: [
      ("الرياض", "Riyadh"), ("الرياض", "Riyadh"), ("جدة", "Jeddah"), ("مكة المكرمة", "Makkah"), ("الدمام", "Dammam"),
      ("المدينة المنورة", "Madinah"), ("أبها", "Abha"),
    ], consentSources: ["website checkout", "تطبيق الجوال", "loyalty card"])

  static let emirates = DemoCountry(
    code: "AE", callingCode: "971", mobiles: ["50", "52", "54", "55", "56", "58"], length: 9, hasTrunkZero: true,
    landlines: ["042######", "026######"], services: ["800####"], names: ["UAE", "الإمارات"],
    cities: [("دبي", "Dubai"), ("أبوظبي", "Abu Dhabi"), ("الشارقة", "Sharjah"), ("العين", "Al Ain")],
    consentSources: ["website checkout", "mall stand", "تطبيق الجوال"])

  static let kuwait = DemoCountry(
    code: "KW", callingCode: "965", mobiles: ["50", "51", "55", "60", "65", "66", "94", "96", "97", "99"], length: 8,
    hasTrunkZero: false, landlines: ["222#####", "224#####", "253#####"], services: ["18#####"],
    names: ["Kuwait", "الكويت"],
    cities: [
      ("مدينة الكويت", "Kuwait City"), ("حولي", "Hawalli"), ("السالمية", "Salmiya"), ("الفروانية", "Farwaniya"),
    ],
    consentSources: ["website checkout", "معرض السالمية"])

  static let jordan = DemoCountry(
    code: "JO", callingCode: "962", mobiles: ["77", "78", "79"], length: 9, hasTrunkZero: true,
    landlines: ["06465####", "06535####", "06565####"], services: ["0800#####"], names: ["Jordan", "الأردن"],
    cities: [("عمّان", "Amman"), ("إربد", "Irbid"), ("الزرقاء", "Zarqa"), ("العقبة", "Aqaba")],
    consentSources: ["website checkout", "فرع عبدون"])

  static let morocco = DemoCountry(
    code: "MA", callingCode: "212", mobiles: ["61", "62", "63", "64", "65", "66", "67", "70"], length: 9,
    hasTrunkZero: true,
    landlines: ["05222#####", "05377#####"], services: ["0801######"], names: ["Morocco", "المغرب"],
    cities: [
      ("الدار البيضاء", "Casablanca"), ("الرباط", "Rabat"), ("مراكش", "Marrakech"), ("فاس", "Fès"), ("طنجة", "Tanger"),
    ], consentSources: ["website checkout", "boutique Maarif"])
}
