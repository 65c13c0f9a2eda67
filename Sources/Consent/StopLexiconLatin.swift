// English, French, Tagalog; Turkish, Urdu, and Hindi in Latin letters. Accents are folded, apostrophes are not there.
extension StopLexicon {
  static let latin = """
    # English.
    cease firm en: stop stopp sto stpo stap stop_it stop_this stop_that stop_all stopall stop_everything stop_all_this
    cease en: end quit terminate cease halt stopping discontinue
    cancel en: cancel cancelled canceled cancellation cancel_it canceling
    leave en: unsubscribe unsubscribed unsubscribing unsubscription unsub unsubcribe unsuscribe unsubscibe unsubscripe
    leave en: opt_out optout opt_me_out opting_out opted_out take_me_off
    remove en: remove delete erase wipe take clear removed deleted
    send en: send sending text texting message messaging contact contacting write writing spam spamming call calling
    send en: whatsapp
    receive en: receive receiving get getting see seeing hear hearing be have
    want en: want need like wish interested would_like want_to care id_like interest desire
    disturb en: disturb disturbing bother bothering harass harassing annoy annoying annoyed irritating
    enough en: enough sick_and_tired
    fedUp en: tired sick fed_up done bored
    begin firm en: start unstop subscribe resubscribe opt_in optin resume subscribe_me start_again opt_me_in
    resume en: restart continue
    threat en: report sue block reporting blocking
    block en: spammer
    negation en: not dont do_not never cant cannot wont will_not didnt doesnt no_longer shouldnt arent isnt dnt
    no en: no no_more zero
    media en: messages message msgs msg texts ads ad advertising advertisement advertisements promotions promos
    media en: promotion
    media en: promo marketing sms notification notifications updates newsletter newsletters spam junk advert adverts
    media en: campaigns
    media en: whatsapp_messages text_messages this_spam emails broadcast broadcasts
    media offer en: offers
    subscription en: subscription subscriptions my_subscription membership
    number en: my_number my_phone my_phone_number my_contact my_name my_no my_mobile my_cell
    data en: my_data my_details my_information my_info my_account all_my_data my_personal_data all_my_information
    list en: list database mailing_list system records contacts group broadcast_list gdpr this_list
    me en: me us
    you en: you your_company you_guys this_number
    again en: again anymore any_more ever_again ever any_longer from_now_on
    anything en: anything any nothing something
    except en: except but_not
    question en: how when where what which who does did_you do_you is are was will_the
    why en: why
    price en: how_much price cost
    origin en: from_where where_did who_gave how_did where_do how_do_you_have how_you_got
    got en: got gave find obtained found
    modal en: can could would can_you could_you would_you you_should
    idiom en: leave_me_alone leave_us_alone do_not_disturb dont_disturb lose_my_number
    idiom en: not_interested_in_your
    doubt en: go_away not_interested so_annoying
    polite en: please pls plz plss plse kindly just thanks thank_you thank_u thx ty many_thanks hi hello hey dear
    polite en: dear_sir sir
    polite en: madam team guys bro ok okay now right_now immediately asap for_gods_sake i_said at_once lol omg
    thin en: i im i_am you your these those this that the a an all of to from with it them it_is its so my_phone_is
    thin en: these_stupid
    thin en: stupid more much really on for and at in about like_this promotional unwanted annoying_bot such such_a kind
    thin en: am i_have ive must want_you_to been very us_with here further future or too by
    change en: old new change update wrong
    # To be and will: only in fixed company.
    thin en: i_would i_do i_will ill im_going_to i_am_going_to gonna going_to id
    # French.
    cease en: arret arrete
    cease fr: arreter arretez arrete arret larret cessez cesser cesse stoppez stopper arretez_ca arretez_tout larret_de
    cease firm fr: arret_sms arret_pub arretez arrete
    leave fr: desabonner desabonnez desabonne desabonnement desinscrire desinscrivez desinscription desinscris
    leave fr: desabonnez_moi
    leave fr: mabonner_plus me_desabonner
    cancel fr: annuler annulez annulation annule resilier
    remove fr: supprimez supprimer effacez effacer retirez retirer enlevez enlever supprime efface retire enleve
    send fr: envoyer envoyez denvoyer menvoyer menvoyez menvoie mecrivez mecrire decrire contactez contacter spammer
    send fr: me_contactez me_contacter
    receive fr: recevoir recois voir avoir davoir
    want fr: veux souhaite voudrais desire veuillez interesse interessee interesses
    enough fr: assez marre ras_le_bol
    disturb fr: deranger derangez
    begin fr: reabonner reabonnez reabonnez_moi mabonner sabonner reprendre
    negation fr: ne n
    no fr: aucun aucune plus
    negation fr: pas jamais plus_jamais
    media fr: pub pubs publicite publicites spam textos texto mails sms messages message
    media offer fr: offres promo promos promotions
    subscription fr: abonnement labonnement mon_abonnement
    number fr: mon_numero mon_contact mon_nom mon_tel
    data fr: mes_donnees mon_compte mes_informations toutes_mes_donnees
    list fr: liste base fichier fichiers votre_liste votre_base
    got fr: eu trouve obtenu recupere avez_vous vous_avez
    origin fr: comment_avez dou ou_avez comment_avez_vous
    question fr: comment quand quel quelle quoi qui est_ce_que ou_est ou
    why fr: pourquoi
    price fr: combien prix
    idiom fr: laissez_moi_tranquille laisse_moi_tranquille fichez_moi_la_paix foutez_moi_la_paix foutez_nous_la_paix
    idiom fr: stop_pub
    doubt fr: pas_interesse pas_interessee ca_suffit ça_suffit fin
    thin fr: je me se de des d du vos votre ces les le la lui mes encore par avec rien plus_rien aux pour merci_de
    thin fr: tout moi
    polite fr: svp stp sil_vous_plait sil_te_plait merci merci_beaucoup bonjour bonsoir salut
    # Tagalog.
    cease firm tl: tigil tigilan itigil tigilan_nyo tama_na tigil_na itigil_na tigilan_na
    negation tl: huwag wag ayaw ayoko ayaw_ko
    send tl: mag_text magtext mag_message magmessage mag_send magsend
    remove tl: paki_alis pakialis paki_delete alisin pakitanggal tanggalin
    number tl: number_ko numero_ko
    thin tl: po ako ito yan nyo niyo mo ang ng nang kayo kayong
    polite tl: salamat pakiusap
    # Arabic words in Latin letters that are spelled one way.
    idiom ar: safi_baraka sf_baraka
    want not ar: mabi mabgha ma_abi
    polite ar: salam salam_alaikum assalamu_alaikum afak 3afak shokran shukran khalas law_sama7t law_samaht
    enough ar: baraka barka
    """

  static let turkishAndUrdu = """
    cease firm tr: dur durdur durdurun durun ret son_ver kes kesin durdurunuz
    leave tr: abonelikten_çık abonelikten_çıkar abonelikten_çıkmak üyelikten_çık abonelikten_çıkın abonelikten_ayrıl
    leave tr: listeden_çık abonelikten
    cancel tr: iptal iptal_et iptal_edin iptal_etmek iptal_ediniz iptal_ettir
    remove tr: sil silin siliniz çıkar çıkarın çıkartın kaldırın kaldır silinsin
    send not tr: gönderme göndermeyin göndermeyiniz atma atmayın atmayınız yollamayın yollama yazmayın yazma aramayın
    send tr: gönder gönderin göndermeyi göndermek atmayı yollamayı
    receive tr: almak alma
    want tr: istiyorum istiyoruz
    want not tr: istemiyorum istemiyoruz ilgilenmiyorum
    disturb not tr: rahatsız_etmeyin rahatsız_etme rahatsız_etmeyiniz
    enough tr: yeter
    begin firm tr: başla başlat abone_ol üye_ol
    media tr: mesaj mesajlar mesajları mesajı mesajlarınızı mesajınızı sms reklam reklamlar reklamları reklamlarınızı
    media tr: bildirim
    media tr: bildirimleri bildirimler kampanya_mesajları kampanya reklam_mesajı
    subscription tr: aboneliği aboneliğimi üyeliği üyeliğimi abonelik aboneliğimin üyeliğimin
    number tr: numaramı telefonumu
    data tr: bilgilerimi verilerimi hesabımı
    list tr: listeden listenizden sisteminizden kayıtlarınızdan rehberinizden
    origin tr: nereden nerden
    question tr: ne_zaman nasıl
    why tr: neden niye
    got tr: buldunuz aldınız
    number tr: numaramı
    thin tr: bana bir daha artık bu beni bize lütfen_artık tüm sizden hiç ve
    again tr: bir_daha
    polite tr: lütfen teşekkürler teşekkür_ederim merhaba
    # Urdu.
    cease firm ur: بند_کریں بند_کرو بند_کر_دیں بند_کردیں بند_کر_دو بند_کیجیے بند_کیجئے سٹاپ اسٹاپ
    negation ur: نہ مت نہیں
    send ur: بھیجیں بھیجو بھیجیے بھیجئے بھیجنا بھیج کریں کرو
    media ur: میسج میسجز میسیج میسیجز پیغام پیغامات اشتہار اشتہارات میسجیں ایس_ایم_ایس
    number ur: میرا_نمبر میرے_نمبر
    data ur: میرا_ڈیٹا
    remove ur: ہٹا ڈیلیٹ حذف نکال ہٹائیں ہٹا_دیں حذف_کریں ڈیلیٹ_کریں نکال_دیں ڈیلیٹ_کر_دیں
    question ur: کب کیسے کہاں
    thin ur: یہ مجھے مزید اور آئندہ دوبارہ اب کو سے یہاں ہمیں دیں دو
    polite ur: براہ_کرم براہ_مہربانی برائے_مہربانی پلیز شکریہ
    # Urdu and Hindi in Latin letters.
    cease firm hi: band_karo bund_karo band_kro bnd_kro band_kar_do band_kardo band_karein band_karen bund_kro
    cease firm hi: band_kijiye
    negation hi: mat na nahi nahin
    send hi: bhejo bhejna bhejiye bhejen bhejain bhejein karo kro kare karen karein karna kijiye bhej
    media hi: paigham mesg massage
    number hi: mera_number mera_no mera_nambar
    remove hi: hata hatao nikal nikalo delete_karo hata_do remove_karo
    thin hi: mujhe muje mujhko ye yeh ko dobara ab do dein
    polite hi: bhai yaar jee ji shukriya meherbani
    """
}
