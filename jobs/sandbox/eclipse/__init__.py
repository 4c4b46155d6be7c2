"""Eclipse Conductor in memory, after the vendor's Customer Management page and, where that is silent, its other pages.

What a customer's verification does is chosen by the end of the last name, in any case, so that a demo file shows it:

    ...Kycfail      FAILED (sanctionsListCheck)
    ...Kycslow      PENDING for `kyc_polls` reads, then PASSED
    ...Kycslowfail  PENDING for `kyc_polls` reads, then FAILED
    ...Kycstuck     PENDING for ever
    ...Kycodd       REFERRED, a status that the page does not know
    ...Kycsecond    FAILED the first time, then PASSED
    ...Nodocument   FAILED (selfieMatchesNationalIdentity) until a FACIAL_PHOTO and a NATIONAL_IDENTITY were uploaded
    ...Twowallets   PASSED, and every wallet type is allowed
    ...Nowallet     PASSED, but no wallet type is allowed
    ...Refused      the customer is refused: 400 VAL001
    anything else   PASSED at once; 5001 allowed, 5002 not
"""
