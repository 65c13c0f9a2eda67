import Consent

/// Phrases that stand nowhere in the lexicon's tables as phrases. Of the first table, written before the rule was,
/// every second one was looked at while the rule was made; the others only judge it. So do all of the second table,
/// written after the rule and never used to mend it.
struct LabelledPhrase: Sendable {
  let dialect: String
  let verdict: StopVerdict
  let text: String

  private static func read(_ table: String) -> [LabelledPhrase] {
    table.split(separator: "\n").map { line in
      let parts = line.split(separator: "|", maxSplits: 2).map { String($0) }
      let verdicts: [String: StopVerdict] = [
        "STOP": .stop, "STOP+": .stopPlus, "ASK": .ask, "START": .start, "NO": .none,
      ]
      return LabelledPhrase(dialect: parts[0], verdict: verdicts[parts[1]]!, text: parts[2])
    }
  }

  private static let all = read(table)
  static let seen = all.indices.filter { $0.isMultiple(of: 2) }.map { all[$0] }
  static let heldOut = all.indices.filter { !$0.isMultiple(of: 2) }.map { all[$0] } + read(later)

  private static let table = """
    msa|STOP|أرجو إيقاف إرسال الرسائل الترويجية إلى هذا الرقم
    msa|STOP|لا أرغب في استلام إعلاناتكم بعد اليوم
    msa|STOP|رجاءً توقفوا عن مراسلتي
    msa|STOP|نرجو عدم إرسال أي عروض أخرى
    msa|STOP|أريد إلغاء اشتراكي في هذه الخدمة
    msa|STOP|لا تراسلوني مجددا من فضلكم
    msa|STOP|أوقفوا هذه الإشعارات فورا
    msa|STOP|لست مهتما بعروضكم
    msa|STOP|كفوا عن إزعاجي
    msa|STOP|قمت بإلغاء الاشتراك ولا زلتم ترسلون، أوقفوا الرسائل
    msa|STOP+|أطالب بحذف بياناتي من سجلاتكم
    msa|STOP+|يرجى إزالة رقمي من قاعدة البيانات
    msa|STOP+|سأبلغ عنكم الجهات المختصة
    msa|ASK|كيف ألغي الاشتراك؟
    msa|ASK|من أين حصلتم على رقمي؟
    msa|ASK|متى ستتوقفون عن إرسال الرسائل؟
    msa|ASK|لا أريد
    msa|NO|لا تلغوا طلبي من فضلكم
    msa|NO|لا أريد تفويت عروضكم
    msa|NO|توقفت الرسائل عن الوصول إلي منذ شهر
    msa|NO|لماذا لا ترسلون العروض الجديدة؟
    msa|NO|لا ترسلوا الشحنة قبل الخميس
    msa|NO|أريد إيقاف البطاقة المفقودة
    msa|NO|أين أجد محطة التوقف القريبة من المتجر؟
    msa|NO|هل يمكن إلغاء الطلب رقم 45؟
    msa|NO|احذفوا الصنف الثاني من الفاتورة
    eg|STOP|والنبي بطلوا الرسايل دي بقى
    eg|STOP|ماتبعتوليش عروض تاني خالص
    eg|STOP|مش عايزة أستقبل رسايل منكم
    eg|STOP|الرسايل دي وقفوها لو سمحتوا
    eg|STOP|يا جماعة كفاية رسايل صدعتونا
    eg|STOP|بلاش تبعتولي أي حاجة تاني
    eg|STOP|انا مش مهتمه بالعروض بتاعتكم
    eg|STOP|عاوز اشيل الاشتراك ده
    eg|STOP|زهقت من الرسايل كل يوم
    eg|STOP|متكلمونيش تاني
    eg|STOP|لو سمحت ألغي لي الاشتراك
    eg|STOP+|امسحوا رقمي من عندكو
    eg|STOP+|لو مبطلتوش هعملكوا ريبورت
    eg|STOP+|شيلوا نمرتي من السيستم
    eg|ASK|جايبين نمرتي منين؟
    eg|ASK|زهقتونا
    eg|ASK|كفاية بقى
    eg|ASK|مش عاوز شكرا
    eg|NO|متبعتوش الأوردر النهارده أنا مش في البيت
    eg|NO|مش عايز اللون ده عايز الأسود
    eg|NO|وقفت العربية قدام المحل
    eg|NO|ليه مبتبعتوش العروض زي زمان؟
    eg|NO|متوقفوش العروض الحلوة دي
    eg|NO|كفاية كيلو واحد
    eg|NO|عايز ابطل سجاير عندكم حاجة؟
    eg|NO|كنسلوا الحجز بتاع بكرة
    eg|NO|هبلغكم لما الطلب يوصل
    eg|NO|بلاش الكاتشب في الطلب
    eg|NO|مش عايز أفوت العرض
    eg|NO|شيلوا البصل من الساندويتش
    eg|NO|رقمي اتغير
    gulf|STOP|لا تطرشون لي اعلانات مره ثانيه
    gulf|STOP|ما ابغى اي رسايل منكم
    gulf|STOP|وقفوا عنا هالمسجات
    gulf|STOP|مب مهتم بعروضكم لا ترسلون
    gulf|STOP|طفشتونا بالاعلانات
    gulf|STOP|ابغى الغي الاشتراك الله يسعدكم
    gulf|STOP|لا تدزون لي مسجات
    gulf|STOP|ما نبغى دعايات
    gulf|STOP|بس عاد وقفوا الرسايل
    gulf|STOP|ماودي توصلني رسايل
    gulf|STOP+|امسحوا رقمي من عندكم الله لا يهينكم
    gulf|STOP+|راح ابلغ عليكم حماية المستهلك
    gulf|STOP+|طلعوني من القروب
    gulf|ASK|وش جابكم على رقمي
    gulf|ASK|منو عطاكم رقمي
    gulf|ASK|ما ابغى
    gulf|NO|لا ترسلون السواق قبل المغرب
    gulf|NO|ما ابغى كيس بلاستيك
    gulf|NO|وقفوا السيارة عند الباب
    gulf|NO|لا توقفون عروضكم الله يعطيكم العافية
    gulf|NO|متى توقف التخفيضات؟
    gulf|NO|ابغى الغي الحجز
    gulf|NO|لا تتأخرون علينا
    gulf|NO|ليش ما ترسلون لي العروض؟
    gulf|NO|ابي اشيل منتج من السلة
    levant|STOP|ما بقى تبعتولي رسايل
    levant|STOP|ما بدي استقبل اعلانات
    levant|STOP|حاج تبعتوا رسايل
    levant|STOP|وقفولي هالرسايل اذا بتريدوا
    levant|STOP|مو مهتمة بعروضكن
    levant|STOP|حلوا عن ربي بهالرسايل
    levant|STOP|الغولي الاشتراك عمول معروف
    levant|STOP|بدي وقف الرسايل
    levant|STOP+|احذفوا رقمي من عندكم بليز
    levant|STOP+|شيلو اسمي من القايمة
    levant|ASK|من وين معكن رقمي؟
    levant|ASK|شو هالازعاج
    levant|NO|ما تبعتوا الشوفير هلق
    levant|NO|ما بدي بصل عالسندويش
    levant|NO|وقف عند الاشارة
    levant|NO|ما عم توصلني رسايلكن
    levant|NO|بدي الغي الموعد تبع بكرا
    levant|NO|ايمتى بيخلص العرض؟
    maghreb|STOP|بغيت نحبس هاد الميساجات
    maghreb|STOP|ما تبقاوش تصيفطو ليا
    maghreb|STOP|عييت من الميساجات ديالكم
    maghreb|STOP|منحبش تبعثولي رسائل
    maghreb|STOP|يزيو من الاشهار
    maghreb|STOP|وقفو عليا الرسائل عافاكم
    maghreb|STOP+|مسحو نمرتي من عندكم
    maghreb|STOP+|نحيو رقمي
    maghreb|ASK|منين جبتو نمرتي
    maghreb|NO|ما تصيفطوش الليفرور دابا
    maghreb|NO|ما بغيتش القياس الكبير
    maghreb|NO|حبس الطوموبيل قدام الدار
    franco|STOP|wa2fo el rasayel de
    franco|STOP|mat2b3tolish rasayel tany
    franco|STOP|mesh 3ayez a3lanat mnko
    franco|STOP|kefaya rasayel ba2a
    franco|STOP|ma b8a rsayel
    franco|STOP|la tersloli messages
    franco|STOP|3ayez al8y el eshterak
    franco|STOP+|ems7o rakamy mn 3andoko
    franco|ASK|gebto rakamy mnen
    franco|ASK|mesh 3ayz shokran
    franco|NO|mesh 3ayez el lon da
    franco|NO|matb3atosh el order delwa2ty
    franco|NO|3ayez alghy el order
    franco|NO|emta el 3ard yewa2af
    en|STOP|Could you please stop these promotional texts
    en|STOP|I don't wish to receive any more of your offers
    en|STOP|kindly take me off, I want to unsubscribe
    en|STOP|pls dont message me again
    en|STOP|I'm not interested in your offers
    en|STOP|stop spamming me!!
    en|STOP|no more ads please
    en|STOP|do not contact me ever again
    en|STOP|My order came late and I am tired of these messages
    en|STOP|quit sending me this junk
    en|STOP|I would like to be unsubscribed
    en|STOP|never text this number again
    en|STOP|enough with the ads
    en|STOP+|delete all my data under gdpr
    en|STOP+|take my number off your list
    en|STOP+|I'm going to report you to the authorities
    en|STOP+|please remove me from your mailing list
    en|ASK|who gave you my number?
    en|ASK|how do I unsubscribe?
    en|ASK|I don't want it
    en|ASK|this is annoying
    en|START|please start sending me offers again
    en|START|I want to subscribe again
    en|NO|cancel my order
    en|NO|stop by the shop tomorrow
    en|NO|when does the offer stop?
    en|NO|please don't stop the offers
    en|NO|I don't want to unsubscribe
    en|NO|don't send the package to my office
    en|NO|I don't want the blue one
    en|NO|is there a bus stop near your branch
    en|NO|why don't you send me offers anymore
    en|NO|I want to cancel my booking
    en|NO|remove the onions please
    en|NO|I haven't received any messages
    en|NO|what is the end date of the sale
    en|NO|I can't stop loving your offers
    en|NO|delete item 3 from my cart
    en|NO|no problem
    en|NO|I don't want to miss your messages
    fr|STOP|merci de ne plus m'envoyer de messages
    fr|STOP|je ne veux plus recevoir vos pubs
    fr|STOP|arrêtez vos messages
    fr|STOP|je souhaite me désabonner
    fr|STOP|pas intéressé par vos offres
    fr|STOP+|retirez mon numéro de votre liste
    fr|STOP+|supprimez mes données
    fr|ASK|comment avez-vous eu mon numéro ?
    fr|NO|je veux annuler ma commande
    fr|NO|ne livrez pas avant 18h
    fr|NO|je ne veux pas la couleur rouge
    fr|NO|où est l'arrêt de bus
    tr|STOP|bana bir daha mesaj atmayın
    tr|STOP|reklam mesajı almak istemiyorum
    tr|STOP|aboneliğimi iptal edin
    tr|STOP+|numaramı listenizden silin
    tr|ASK|istemiyorum
    tr|NO|siparişimi iptal etmek istiyorum
    tr|NO|kargoyu bugün göndermeyin
    tr|NO|mavi olanı istemiyorum
    ur|STOP|مجھے مزید پیغامات نہ بھیجیں
    ur|STOP|اشتہار بھیجنا بند کریں
    ur|STOP|mujhe msg na bhejein please
    ur|STOP+|میرا نمبر حذف کریں
    ur|NO|آرڈر آج مت بھیجیں
    ur|NO|دکان کب بند ہوتی ہے
    msa|START|أريد استقبال الرسائل مرة أخرى
    eg|START|رجعولي العروض تاني
    gulf|START|ابي اشترك
    gulf|START|شغلوا الرسايل مره ثانيه
    fr|START|je veux me réabonner
    en|START|resume messages
    msa|NO|كيف أشترك؟
    msa|NO|بارك الله فيكم
    eg|NO|تمام وصل شكرا
    gulf|NO|كم سعر العطر؟
    levant|NO|بكم التوصيل عالشام؟
    eg|STOP|ستووووب
    en|STOP|UNSUBSCRIBE ME NOW
    gulf|STOP|أوقفوها
    msa|ASK|إنهاء
    any|STOP|🛑🛑
    any|NO|🙏
    any|NO|2
    """

  private static let later = """
    msa|STOP|يؤسفني أن أطلب منكم التوقف عن إرسال هذه الرسائل
    msa|STOP|من فضلكم لا تزعجوني بهذه العروض
    msa|STOP|لا حاجة لي برسائلكم، الرجاء إلغاء اشتراكي
    msa|STOP|لم أعد أرغب في تلقي نشراتكم
    msa|NO|أوقفوا الشحنة عند المستودع
    msa|NO|متى يتوقف البث المباشر؟
    msa|NO|لا أريد إلغاء اشتراكي
    msa|NO|أرسلوا لي الفاتورة من فضلكم
    msa|NO|لم تصلني رسالة التأكيد
    msa|STOP+|أطلب محو جميع بياناتي
    msa|ASK|ما سبب إرسالكم هذه الرسائل لي؟
    eg|STOP|خلاص بقى يا جماعة مش عايزين إعلانات
    eg|STOP|بطل تبعتلي رسايل كل شوية
    eg|STOP|انا مشترك بالغلط عايز الغي الاشتراك
    eg|STOP|ياريت ماتبعتوش عروض على الرقم ده تاني
    eg|STOP|قرفتونا اعلانات
    eg|NO|مش عايزكم تتأخروا عليا
    eg|NO|وقفت عند الفرع ومحدش رد
    eg|NO|عايز أوقف الشراء
    eg|NO|متلغوش الأوردر
    eg|NO|هو العرض وقف ولا لسه؟
    eg|NO|بلاش تتأخر لو سمحت
    eg|NO|ابعتولي رسالة لما الأوردر يطلع
    eg|STOP+|امسحوني من عندكم
    eg|ASK|مين اداكم رقمي
    gulf|STOP|لا هنتوا وقفوا ارسال العروض
    gulf|STOP|ياخي خلاص مانبي مسجاتكم
    gulf|STOP|الله يخليكم لا ترسلون لي شي ثاني
    gulf|STOP|كنسلوا اشتراكي
    gulf|NO|لا ترسلون البديل اذا خلص المنتج
    gulf|NO|ما ابي الفاتورة
    gulf|NO|ابغى الغي الموعد
    gulf|NO|المندوب وقف برا
    gulf|STOP+|بسويلكم بلوك وبلاغ
    levant|STOP|خلص ما بدنا رسايل منكم
    levant|STOP|لا تبعتولي رسائل عالواتساب
    levant|NO|لا تبعتوا حدا اليوم
    levant|NO|وقفولي الطلب شوي
    levant|ASK|مين انتو
    maghreb|STOP|عفاكم ما تصيفطو ليا والو
    maghreb|STOP|بركاو من الميساجات
    maghreb|NO|ما تصيفطوش الكوموند حتى لغدا
    maghreb|NO|واش حبستو الليفريزون؟
    franco|STOP|law sama7t wa2af el messages
    franco|STOP|ma b3atosh rasayel tany
    franco|NO|la tersel el mandoob
    franco|NO|ana 3ayez order gdeed
    en|STOP|Can you please take my name off, stop messaging me
    en|STOP|enough already, no more texts
    en|STOP|I never signed up for this, stop contacting me
    en|STOP|Please do not send promotional messages to this number
    en|STOP|i want out of this subscription, cancel it
    en|NO|will the sale end on friday?
    en|NO|stop the presses, this is amazing
    en|NO|please don't cancel my order
    en|NO|I need to remove an item
    en|NO|the messages are very helpful thanks
    en|NO|end of the street, blue door
    en|NO|can I unsubscribe from the monthly box and keep the rest
    en|NO|report a missing parcel
    fr|STOP|je ne suis plus intéressé par vos messages
    fr|NO|arrêtez la livraison
    fr|NO|pas de problème
    tr|STOP|artık mesaj almak istemiyorum
    tr|NO|iptal etmek istemiyorum
    ur|STOP|براہ کرم پیغامات بند کریں
    ur|NO|آرڈر کینسل کریں
    en|START|please resume my subscription
    eg|START|عايز اشترك تاني
    any|NO|👍🏽
    """
}
