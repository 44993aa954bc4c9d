package numbering

import (
	"strings"

	"github.com/heliograph/heliograph/internal/gateway"
)

// area is what an area code stands for.
type area struct {
	country string // ISO 3166-1 alpha-2
	region  string // state, province or territory, two letters; empty in countries that are one area, and where several share a code
	kind    areaKind
}

type areaKind uint8

const (
	geographic areaKind = iota
	tollFree
	placeless // personal numbers, machines, premium rates
)

// areaCodes is the assignment of the area codes of country code 1 by place. Source: the area code assignments that the North American
// Numbering Plan Administrator publishes, with those in planning letters up to 2026 whose place is settled (465 and 565 among
// them), and the set-aside codes of the Canadian Numbering Administrator.
//
// 902 and 782 serve Nova Scotia and Prince Edward Island: given as the larger. 867 serves Yukon, the Northwest Territories and Nunavut
// alike, and the place of 460 is open: given without a province.
var areaCodes = []struct {
	area
	codes string
}{
	{area{"US", "AL", geographic}, "205 251 256 334 483 659 938"},
	{area{"US", "AK", geographic}, "907"},
	{area{"US", "AZ", geographic}, "480 520 602 623 928"},
	{area{"US", "AR", geographic}, "327 479 501 870"},
	{area{"US", "CA", geographic}, "209 213 279 310 323 341 350 357 369 408 415 424 442 510 530 559 562 619 626 628 650 657"},
	{area{"US", "CA", geographic}, "661 669 707 714 738 747 760 805 818 820 831 837 840 858 909 916 925 949 951"},
	{area{"US", "CO", geographic}, "303 719 720 748 970 983"},
	{area{"US", "CT", geographic}, "203 475 860 959"},
	{area{"US", "DC", geographic}, "202 771"},
	{area{"US", "DE", geographic}, "302"},
	{area{"US", "FL", geographic}, "239 305 321 324 352 386 407 448 561 645 656 689 727 728 754 772 786 813 850 863 904 941 954"},
	{area{"US", "GA", geographic}, "229 404 470 478 565 678 706 762 770 912 943"},
	{area{"US", "HI", geographic}, "808"},
	{area{"US", "IA", geographic}, "319 515 563 641 712"},
	{area{"US", "ID", geographic}, "208 986"},
	{area{"US", "IL", geographic}, "217 224 309 312 331 447 464 618 630 708 730 773 779 815 847 861 872"},
	{area{"US", "IN", geographic}, "219 260 317 463 574 765 812 930"},
	{area{"US", "KS", geographic}, "316 620 785 913"},
	{area{"US", "KY", geographic}, "270 364 502 606 859"},
	{area{"US", "LA", geographic}, "225 318 337 457 504 985"},
	{area{"US", "MA", geographic}, "339 351 413 508 617 774 781 857 978"},
	{area{"US", "MD", geographic}, "227 240 301 410 443 667"},
	{area{"US", "ME", geographic}, "207"},
	{area{"US", "MI", geographic}, "231 248 269 313 517 586 616 679 734 810 906 947 989"},
	{area{"US", "MN", geographic}, "218 320 507 612 651 763 924 952"},
	{area{"US", "MO", geographic}, "235 314 417 557 573 636 660 816 975"},
	{area{"US", "MS", geographic}, "228 471 601 662 769"},
	{area{"US", "MT", geographic}, "406"},
	{area{"US", "NC", geographic}, "252 336 472 704 743 828 910 919 980 984"},
	{area{"US", "ND", geographic}, "701"},
	{area{"US", "NE", geographic}, "308 402 531"},
	{area{"US", "NH", geographic}, "603"},
	{area{"US", "NJ", geographic}, "201 551 609 640 732 848 856 862 908 973"},
	{area{"US", "NM", geographic}, "505 575"},
	{area{"US", "NV", geographic}, "702 725 775"},
	{area{"US", "NY", geographic}, "212 315 329 332 347 363 465 516 518 585 607 624 631 646 680 716 718 838 845 914 917 929 934"},
	{area{"US", "OH", geographic}, "216 220 234 283 326 330 380 419 436 440 513 567 614 740 937"},
	{area{"US", "OK", geographic}, "405 539 572 580 918"},
	{area{"US", "OR", geographic}, "458 503 541 971"},
	{area{"US", "PA", geographic}, "215 223 267 272 412 445 484 570 582 610 717 724 814 835 878"},
	{area{"US", "RI", geographic}, "401"},
	{area{"US", "SC", geographic}, "803 821 839 843 854 864"},
	{area{"US", "SD", geographic}, "605"},
	{area{"US", "TN", geographic}, "423 615 629 729 731 865 901 931"},
	{area{"US", "TX", geographic}, "210 214 254 281 325 346 361 409 430 432 469 512 621 682 713 726 737 806 817 830 832 903 915 936"},
	{area{"US", "TX", geographic}, "940 945 956 972 979"},
	{area{"US", "UT", geographic}, "385 435 801"},
	{area{"US", "VA", geographic}, "276 434 540 571 686 703 757 804 826 948"},
	{area{"US", "VT", geographic}, "802"},
	{area{"US", "WA", geographic}, "206 253 360 425 509 564"},
	{area{"US", "WI", geographic}, "262 274 353 414 534 608 715 920"},
	{area{"US", "WV", geographic}, "304 681"},
	{area{"US", "WY", geographic}, "307"},

	{area{"AS", "AS", geographic}, "684"},
	{area{"GU", "GU", geographic}, "671"},
	{area{"MP", "MP", geographic}, "670"},
	{area{"PR", "PR", geographic}, "787 939"},
	{area{"VI", "VI", geographic}, "340"},

	{area{"CA", "AB", geographic}, "368 403 587 780 825"},
	{area{"CA", "BC", geographic}, "236 250 257 604 672 778"},
	{area{"CA", "MB", geographic}, "204 431 584"},
	{area{"CA", "NB", geographic}, "428 506"},
	{area{"CA", "NL", geographic}, "709 879"},
	{area{"CA", "NS", geographic}, "782 902"},
	{area{"CA", "ON", geographic}, "226 249 289 343 365 382 387 416 437 519 548 613 647 683 705 742 753 807 905 942"},
	{area{"CA", "QC", geographic}, "263 354 367 418 438 450 468 514 579 581 819 873"},
	{area{"CA", "SK", geographic}, "306 474 639"},
	{area{"CA", "", geographic}, "460 867"},

	{area{"AG", "", geographic}, "268"},
	{area{"AI", "", geographic}, "264"},
	{area{"BB", "", geographic}, "246"},
	{area{"BM", "", geographic}, "441"},
	{area{"BS", "", geographic}, "242"},
	{area{"DM", "", geographic}, "767"},
	{area{"DO", "", geographic}, "809 829 849"},
	{area{"GD", "", geographic}, "473"},
	{area{"JM", "", geographic}, "658 876"},
	{area{"KN", "", geographic}, "869"},
	{area{"KY", "", geographic}, "345"},
	{area{"LC", "", geographic}, "758"},
	{area{"MS", "", geographic}, "664"},
	{area{"SX", "", geographic}, "721"},
	{area{"TC", "", geographic}, "649"},
	{area{"TT", "", geographic}, "868"},
	{area{"VC", "", geographic}, "784"},
	{area{"VG", "", geographic}, "284"},

	{area{"US", "", tollFree}, "800 833 844 855 866 877 888"},
	{area{"US", "", placeless}, "500 521 522 523 524 525 526 527 528 529 532 533 544 566 577 588 700 710 900"},
	{area{"CA", "", placeless}, "600 622 633"},
}

// areas is areaCodes by area code. A code that is not assigned, or was after this was written, is one of the United States, where most are.
var areas = byAreaCode()

func byAreaCode() *[1000]area {
	var table [1000]area
	for i := range table {
		table[i].country = "US"
	}
	for _, place := range areaCodes {
		for code := range strings.FieldsSeq(place.codes) {
			table[threeDigits(code)] = place.area
		}
	}
	return &table
}

func threeDigits(s string) int { return int(s[0]-'0')*100 + int(s[1]-'0')*10 + int(s[2]-'0') }

// areaOf is the area of a number of country code 1.
func areaOf(number string) *area { return &areas[threeDigits(number[1:4])] }

// northAmerican is Destination for country code 1: an area code of the form [2-9]XX, and seven digits. An area code of the form N11 is a
// service. Exchanges are of that form, too, but examples everywhere are not (1 415 123 4567), and whoever tries one should get an answer
// from the carrier and not from us.
func northAmerican(number string) (gateway.Destination, bool) {
	if len(number) != 11 {
		return gateway.Destination{}, false
	}
	code := number[1:4]
	if code[0] < '2' || code[1:] == "11" {
		return gateway.Destination{}, false
	}
	place := areaOf(number)
	if place.kind != geographic {
		code = ""
	}
	return gateway.Destination{Number: number, Country: place.country, Region: place.region, AreaCode: code}, true
}
