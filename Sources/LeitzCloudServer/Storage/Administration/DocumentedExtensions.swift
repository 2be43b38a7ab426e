/// The lists of extensions that the document gives as defaults of a new organization.
enum DocumentedExtensions {
    /// What may not be uploaded; each with its dot.
    static let excluded = list(
        """
        $$ $db 113 3g2 3gp 3gp2 3gpp 3mm a abf abk afm ani ann asf avi avs bac bak bck bcm bd2 \
        bdb bdf bkf bkp bmk bsc bsf cab cf1 chm chq chw cnt com cpl cur dbs dev dfont dll dmp \
        drv dv dvd dvr dvr-ms eot evt exe ffa ffl ffo ffx flc flv fnt fon ftg fts fxp gid grp \
        hdd hlp hxi hxq hxr hxs ico idb idx ilk img inf ini ins ipf iso isp its jar jse kbd kext \
        key lex lib library-ms lnk log lwfn m1p m1v m2p m2v m4v mem mkv mov mp2 mp2v mp4 mpe \
        mpeg mpg mpv mpv2 msc msi msm msp mst ncb nt nvram o obj obs ocx old ost otf pch pd6 pf \
        pfa pfb pfm pnf pol pref prf prg prn pst pvs pwl QBA QBA.TLG QBW QBW.TLG qt rdb reg rll \
        rox sbr scf scr sdb shb suit swf swp sys theme tivo tmp tms ttc ttf v2i vbe vga vgd vhd \
        video vmc vmdk vmsd vmsn vmx vxd win wpk
        """)

    /// What agents lock while it is open; each with its dot.
    static let locked = list(
        """
        doc docx xls xlsx ppt pptx pdf txt xlsb xlsm csv docm dotx dotm pub wpd odt ott oth odm \
        ots odp odg otp odf oxt odc ods vdx vsx vtx one
        """)

    private static func list(_ words: String) -> [String] {
        words.split(separator: " ").map { "." + $0 }
    }
}
